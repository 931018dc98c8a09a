import { describe, expect, it } from "vitest";
import { formatCount, formatNumber, formatTick } from "../src/format";
import { ceiling125, iterationAxis, pixels, valueAxis } from "../src/plot/scale";

describe("formatNumber", () => {
  it.each([
    [24.6512, "24.65"],
    [-0.5, "−0.5"],
    [0, "0"],
    [100, "100"],
    [1.2e-5, "1.2×10⁻⁵"],
    [-1e12, "−10¹²"],
    [123456, "1.235×10⁵"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("%d is %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it("groups large counts and gives ticks the decimals they need", () => {
    expect(formatCount(12345)).toBe("12\u202f345");
    expect(formatCount(1234)).toBe("1234");
    expect(formatTick(0.30000000000000004, 0.1)).toBe("0.3");
    expect(formatTick(-2, 1)).toBe("−2");
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
