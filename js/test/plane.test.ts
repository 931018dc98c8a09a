// The plane of two parameters as data: what is drawn is what was recorded, and the pointer finds it again.
import { describe, expect, it } from "vitest";
import { encode } from "../dev/packet";
import { SERIES } from "../dev/rail-texts";
import { buildPlane, type Plane, placeOf, rowAt } from "../src/plot/plane";
import { Store } from "../src/store";
import { decode } from "../src/wire";

const size = { width: 500, height: 300 } as DOMRect;

function planeOf(columns: Record<string, Float64Array | Uint8Array>, more = {}): Plane {
  const store = new Store();
  const series = [
    { ...SERIES[0], ...more },
    { ...SERIES[0], key: 1, name: "b" },
  ];
  store.apply(decode(encode({ kind: "snapshot", series: series as never }, columns)));
  return buildPlane(store, [0, 1], size) as Plane;
}

const iteration = Float64Array.of(0, 1, 2, 3);
const p0 = Float64Array.of(0, 1, 2, 3);
const p1 = Float64Array.of(0, 10, 20, 30);

describe("the plane of two parameters", () => {
  it("has each accepted iterate in its place, and none that was rejected or is not a number", () => {
    const accepted = Uint8Array.of(1, 0, 1, 1);
    const plane = planeOf({ iteration, accepted, p0, p1: Float64Array.of(0, 10, Number.NaN, 30) });
    expect(plane.rows).toEqual([0, 3]);
    const [[x0, y0], [x3, y3]] = [placeOf(plane, 0), placeOf(plane, 3)];
    expect(x3).toBeGreaterThan(x0);
    expect(y3).toBeLessThan(y0);
    expect(Math.min(x0, y3)).toBeGreaterThan(0);
    expect(x3).toBeLessThan(500);
    expect(y0).toBeLessThan(300);
  });

  it("finds the iterate that is nearest to the pointer", () => {
    const plane = planeOf({ iteration, p0, p1 });
    const [x, y] = placeOf(plane, 2);
    expect(rowAt(plane, x + 3, y - 3)).toBe(2);
    expect(rowAt(plane, -100, 900)).toBe(0);
    expect(rowAt(planeOf({ iteration: iteration.slice(0, 0) }), 1, 1)).toBe(-1);
  });

  it("makes room for a truth that lies near, not for one far away", () => {
    expect(planeOf({ iteration, p0, p1 }, { truth: 5 }).axes[0].high).toBeGreaterThanOrEqual(5);
    expect(planeOf({ iteration, p0, p1 }, { truth: 500 }).axes[0].high).toBeLessThan(10);
  });
});
