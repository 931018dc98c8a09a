import { describe, expect, it } from "vitest";
import { BREAK, decimate, strongest } from "../src/decimate";

describe("decimate", () => {
  it("keeps first, minimum, maximum and last of every pixel column", () => {
    const count = 50_000;
    const columnsWide = 300;
    let seed = 1;
    const random = () => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647;
    };
    const values = Float64Array.from({ length: count }, () => random() ** 8 * (random() < 0.5 ? -1 : 1));
    const columnOf = (row: number) => Math.floor((row / count) * columnsWide);
    const kept = decimate(values, columnOf);
    expect(kept.length).toBeLessThanOrEqual(4 * columnsWide);
    expect([...kept].sort((a, b) => a - b)).toEqual(kept);
    for (let column = 0; column < columnsWide; column++) {
      const all = [...values.keys()].filter((row) => columnOf(row) === column);
      const here = kept.filter((row) => columnOf(row) === column);
      const extremes = (rows: number[]) => [
        Math.min(...rows.map((row) => values[row] as number)),
        Math.max(...rows.map((row) => values[row] as number)),
      ];
      expect(extremes(here)).toEqual(extremes(all));
      expect([here[0], here[here.length - 1]]).toEqual([all[0], all[all.length - 1]]);
    }
  });

  it("keeps every row where each has its own column", () => {
    expect(decimate(Float64Array.of(3, 1, 2), (row) => row * 10)).toEqual([0, 1, 2]);
  });

  it("breaks the line where values are not finite", () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    expect(decimate(Float64Array.of(nan, 1, 2, nan, 3, infinity, nan, 4, nan), (row) => row)).toEqual([
      1,
      2,
      BREAK,
      4,
      BREAK,
      7,
    ]);
    expect(decimate(Float64Array.of(nan, nan), (row) => row)).toEqual([]);
  });

  it("joins accepted iterates across rejected trials", () => {
    const rows = decimate(
      Float64Array.of(5, 9, 4, Number.NaN, 3),
      (row) => row,
      Uint8Array.of(1, 0, 1, 0, 1),
    );
    expect(rows).toEqual([0, 2, 4]);
  });
});

it("strongest keeps the largest magnitude with its sign", () => {
  const values = Float32Array.of(1, -3, 2, Number.NaN, 0);
  expect([...strongest(values, (row) => Math.floor(row / 2), 4)]).toEqual([-3, 2, 0, Number.NaN]);
});
