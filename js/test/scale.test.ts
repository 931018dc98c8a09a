import { describe, expect, it } from "vitest";
import numbers from "../../tests/numbers.json";
import { formatCount, formatNumber, formatPair, formatTick, formatWithUnit } from "../src/format";
import { ceiling125, iterationAxis, pixels, valueAxis } from "../src/plot/scale";

const {
  numbers: alone,
  quantities,
  pairs,
} = numbers as unknown as {
  numbers: [number | string, number, string][];
  quantities: [number | string, string, string][];
  pairs: [number | string, number | string, string, string, string][];
};
const read = (value: number | string) =>
  typeof value === "number" ? value : ({ inf: Infinity, "-inf": -Infinity }[value] ?? Number.NaN);
/** Where the captions have a plain space, the view keeps a number and its unit on one line. */
const joined = (text: string, unit: string) =>
  unit ? text.replace(` ${unit}`, `\u00a0${unit}`).replace(" per ", "\u00a0per\u00a0") : text;

describe("numbers as the captions write them", () => {
  it.each(alone)("%s with %i digits is %s", (value, digits, text) => {
    expect(formatNumber(read(value), digits)).toBe(text);
  });

  it.each(quantities)("%s %s is %s", (value, unit, text) => {
    expect(formatWithUnit(read(value), unit)).toBe(joined(text, unit));
  });

  it.each(pairs)("%s and %s %s are %s and %s", (start, stop, unit, first, second) => {
    expect(formatPair(read(start), read(stop), unit)).toEqual([first, joined(second, unit)]);
  });

  it("groups large counts and gives ticks the decimals they need", () => {
    expect(formatCount(12345)).toBe("12\u202f345");
    expect(formatCount(1234)).toBe("1234");
    expect(formatTick(0.30000000000000004, 0.1)).toBe("0.3");
    expect(formatTick(-2, 1)).toBe("−2");
    expect(formatTick(24.65125, 0.00001)).toBe("24.65125");
    expect(formatTick(-1e12, 1e12)).toBe("−10¹²");
    expect(formatTick(2e-5, 1e-5)).toBe("2×10⁻⁵");
  });
});

describe("axes", () => {
  it("extend in steps while recording and are exact at the end", () => {
    expect([7, 34, 51, 1001].map((last) => iterationAxis(0, last, true, 8).high)).toEqual([
      10, 50, 100, 2000,
    ]);
    expect(iterationAxis(0, 89, false, 8)).toMatchObject({ low: 0, high: 89 });
    expect([1, 1.1, 3, 7, 0.03].map(ceiling125)).toEqual([1, 2, 5, 10, 0.05]);
  });

  it("hold all values, on ticks that differ in text", () => {
    for (const [low, high, log] of [
      [0.31, 0.32, false],
      [-3e-7, 8e6, false],
      [1e-9, 5, true],
      [2, 2, false],
      [0, 0, false],
    ] as const) {
      const axis = valueAxis(low, high, log, 5);
      expect(axis.low).toBeLessThanOrEqual(low);
      expect(axis.high).toBeGreaterThanOrEqual(high);
      const texts = axis.ticks.map(({ text }) => text);
      expect(texts.length).toBeGreaterThan(0);
      expect(new Set(texts).size).toBe(texts.length);
      const y = pixels(axis, 100, 0);
      expect(y(axis.low)).toBeCloseTo(100);
      expect(y(axis.high)).toBeCloseTo(0);
    }
  });

  it("are empty, not broken, where nothing is finite", () => {
    expect(valueAxis(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false, 5).ticks).toEqual([]);
  });
});
