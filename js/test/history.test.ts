import { describe, expect, it } from "vitest";
import { History } from "../src/history";
import type { ColumnData } from "../src/wire";

const columns = (entries: Record<string, ColumnData>) => new Map(Object.entries(entries));

describe("History", () => {
  it("grows by appending and starts anew when replaced", () => {
    const history = new History();
    for (let k = 0; k < 1000; k++) {
      history.append(1, columns({ iteration: Float64Array.of(k), g0: Float32Array.of(k / 2) }));
    }
    expect(history.rows).toBe(1000);
    expect(history.column("g0")).toBeInstanceOf(Float32Array);
    expect(history.value("g0", 999)).toBe(499.5);
    history.replace(2, columns({ iteration: Float64Array.of(4, 8) }));
    expect([...history.column("iteration")]).toEqual([4, 8]);
    expect(history.column("g0")).toHaveLength(0);
  });

  it("fills what was not recorded with NaN, and with “accepted”", () => {
    const history = new History();
    history.append(2, columns({ iteration: Float64Array.of(0, 1) }));
    history.append(
      1,
      columns({ iteration: Float64Array.of(2), p0: Float64Array.of(5), accepted: Uint8Array.of(0) }),
    );
    history.append(1, columns({ iteration: Float64Array.of(3) }));
    expect([...history.column("p0")]).toEqual([Number.NaN, Number.NaN, 5, Number.NaN]);
    expect([...history.column("accepted")]).toEqual([1, 1, 0, 1]);
  });

  it("finds rows of thinned iterations", () => {
    const history = new History();
    expect(history.rowAt(3)).toBe(-1);
    history.append(3, columns({ iteration: Float64Array.of(0, 10, 20) }));
    expect([-5, 0, 9, 10, 99].map((k) => history.rowAt(k))).toEqual([0, 0, 0, 1, 2]);
    expect([4, 6, 16, 99].map((k) => history.nearestRow(k))).toEqual([0, 1, 2, 2]);
  });

  it("refines a part, another one in its place, and is as it was once rows are added", () => {
    const history = new History();
    const rows = (...at: number[]) =>
      columns({ iteration: Float64Array.from(at), loss: Float64Array.from(at, (k) => k * k) });
    const iterations = () => [...history.column("iteration")];
    history.append(5, rows(0, 10, 20, 30, 40));
    expect(history.strength("loss")).toBe(1600);
    history.refine(4, rows(9, 10, 11, 12));
    expect(iterations()).toEqual([0, 9, 10, 11, 12, 20, 30, 40]);
    expect([...history.column("loss")]).toEqual([0, 81, 100, 121, 144, 400, 900, 1600]);
    history.refine(2, rows(39, 40));
    expect(iterations()).toEqual([0, 10, 20, 30, 39, 40]);
    history.append(1, rows(50));
    expect(iterations()).toEqual([0, 10, 20, 30, 40, 50]);
    expect(history.strength("loss")).toBe(2500);
  });
});
