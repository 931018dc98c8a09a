// What the plots show before any pixel is painted.
import { beforeEach, describe, expect, it } from "vitest";
import { ODD_RUNS } from "../dev/odd-runs";
import { encode } from "../dev/packet";
import { decimateBand } from "../src/decimate";
import { buildFigure, neededHeight } from "../src/plot/figure";
import { spread } from "../src/plot/labels";
import { type Band, readBand } from "../src/plot/panel";
import { State } from "../src/state";
import { Store } from "../src/store";
import { decode } from "../src/wire";

let store: Store;
let state: State;
const receive = (name: string) => store.apply(decode(ODD_RUNS[name]?.() as Uint8Array));
const figure = (width = 700) => buildFigure(store, state, width, neededHeight(store, state));
const titles = () => figure().panels.map(({ title }) => title);

beforeEach(() => {
  store = new Store();
  state = new State(store);
});

describe("watched quantities", () => {
  it("have panels of their own below the loss, each with its unit, and what the gradient asks where that changes", () => {
    receive("watched");
    expect(titles()).toEqual([
      "miss [m]",
      "height of the apex [m]",
      "风速",
      "energy [kJ]",
      "a quantity with a long name and no unit",
      "speed [m/s]",
    ]);
    const { panels, strips, lanes } = figure();
    expect(strips).toHaveLength(5);
    for (const [above, below] of panels.slice(1).map((panel, index) => [panels[index], panel])) {
      expect(below?.top).toBeGreaterThan(above?.bottom as number);
    }
    expect(lanes[0]?.middle).toBeGreaterThan(strips[4]?.bottom as number);
  });

  it("have no strip where the gradient always asks the same", () => {
    const of = (...values: number[]) => Float64Array.from(values);
    const watched = [{ key: 0, name: "cost", unit: "", several: false, shown: true }];
    const columns = { iteration: of(0, 1), loss: of(2, 1), w0: of(3, 2), d0: of(1, 1) };
    store.apply(decode(encode({ kind: "snapshot", watched }, columns)));
    expect(figure().strips).toHaveLength(0);
    store.apply(decode(encode({ sequence: 2 }, { ...columns, iteration: of(2, 3), d0: of(1, 4) })));
    expect(figure().strips).toHaveLength(1);
  });

  it("come and go as the reader chooses", () => {
    receive("watched");
    state.toggle("w0");
    state.toggle("w4");
    expect(titles().slice(1, -1)).toEqual([
      "风速",
      "energy [kJ]",
      "a quantity with a long name and no unit",
      "f",
    ]);
    state.toggle("w0");
    expect(titles()[1]).toBe("height of the apex [m]");
  });

  it("are read out with their unit and what would lower the loss", () => {
    receive("watched");
    const bands = figure().panels.flatMap(({ band }) => (band ? [band] : []));
    const readings = bands.map((band) => readBand(band, 0));
    expect(readings[0]).toBe("0\u00a0m · asks for less ▼");
    expect(readings[2]).toBe("0.000909 to 0.00241\u00a0kJ · asks for more ▲");
    expect(readBand(bands[1] as never, 55)).toBe("");
    expect(readBand(bands[0] as never, -1)).toBe("");
    expect(readBand({ ...(bands[0] as Band), low: new Float64Array(0) }, 3), "nothing has come yet").toBe("");
  });
});

describe("several runs on shared axes", () => {
  it("have a panel a quantity, a line a run, and the same colour for a run everywhere", () => {
    receive("compared");
    const { panels, lanes, labels } = figure();
    expect(panels.map(({ title, log }) => [title, log])).toEqual([
      ["miss [m]", true],
      ["speed [m/s]", false],
    ]);
    expect(panels.map(({ lines }) => lines.map(({ index }) => index))).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(lanes).toEqual([]);
    expect(labels.map(({ text }) => text).sort()).toEqual(["Adam", "Adam", "SGD", "SGD"]);
    state.isolate("SGD");
    expect(figure().panels.map(({ lines }) => lines.map(({ faded }) => faded))).toEqual([
      [true, false],
      [true, false],
    ]);
  });
});

describe("a band", () => {
  it("keeps least and largest of every pixel column, and ends where values are missing", () => {
    const low = Float64Array.of(3, 1, 2, Number.NaN, 7, 8);
    const high = Float64Array.of(4, 5, Number.NaN, Number.NaN, 9, 8);
    const stretches = decimateBand(low, high, (row) => Math.floor(row / 2));
    expect(stretches).toEqual([
      { rows: [0, 2], low: [1, 2], high: [5, 2] },
      { rows: [4], low: [7], high: [9] },
    ]);
  });
});

describe("names at the line ends", () => {
  it("stand apart and inside their panel", () => {
    receive("many");
    const { labels, panels } = figure();
    const middles = labels.map(({ middle }) => middle);
    expect(labels.length).toBeGreaterThan(3);
    middles.slice(1).forEach((middle, index) => {
      expect(middle - (middles[index] as number)).toBeGreaterThanOrEqual(14 - 1e-9);
    });
    expect(Math.max(...middles)).toBeLessThanOrEqual(panels[1]?.bottom as number);
    expect(Math.min(...middles)).toBeGreaterThanOrEqual(panels[1]?.top as number);
  });

  it("move as little as possible", () => {
    const labels = [{ middle: 50 }, { middle: 10 }, { middle: 52 }];
    spread(labels, 0, 100);
    expect(labels.map(({ middle }) => middle)).toEqual([10, 50, 64]);
  });

  it("leave the room to the lines in a narrow figure", () => {
    receive("rejected");
    expect(figure(700).labels).toHaveLength(1);
    expect(figure(400).labels).toHaveLength(0);
  });
});

describe("gradient strips", () => {
  it("are not there where no gradient is known", () => {
    receive("rejected");
    expect(figure().strips).toHaveLength(1);
    const ones = (value: number) => Float64Array.from({ length: 3 }, () => value);
    const [series, groups, head] = [store.series.value, store.groups.value, store.head.value];
    store.apply(
      decode(
        encode(
          { kind: "snapshot", head, series, groups },
          { iteration: Float64Array.of(0, 1, 2), loss: ones(2), p0: ones(1), g0: ones(Number.NaN) },
        ),
      ),
    );
    expect(figure().strips).toHaveLength(0);
    expect(figure().stripsTitle).toBeNull();
  });
});

describe("a zoomed figure", () => {
  it("shows every row of its part and scales to it", () => {
    receive("log");
    state.view.value = [1000, 1040];
    const { window, axis, panels } = figure();
    expect([window.from, window.to, axis.low, axis.high]).toEqual([1000, 1042, 1000, 1040]);
    expect(panels[0]?.axis.high).toBeLessThan(10);
    expect(panels[0]?.axis.low).toBeGreaterThan(0.1);
  });

  it("keeps a spike between two pixels of the whole", () => {
    const rows = 300_000;
    const loss = new Float64Array(rows).fill(1);
    loss[123_457] = 9;
    store.apply(decode(encode({ kind: "snapshot" }, { iteration: loss.map((_, row) => row), loss })));
    expect(figure().panels[0]?.axis.high).toBeGreaterThanOrEqual(9);
    state.view.value = [123_450, 123_460];
    expect(figure().panels[0]?.axis.high).toBeGreaterThanOrEqual(9);
    state.view.value = [123_460, 123_470];
    expect(figure().panels[0]?.axis.high).toBeLessThan(2);
  });
});
