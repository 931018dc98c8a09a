// Several fits in one run: each its own curve, one told of, the reader's choice between them.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { encode } from "../dev/packet";
import { headAt, SERIES } from "../dev/rail-texts";
import { fitInWords, fitsToChoose, partAt, partsOf, storyOf } from "../src/fits";
import { mountStatic } from "../src/index";
import { buildFigure, type Figure, neededHeight } from "../src/plot/figure";
import type { Ink } from "../src/plot/ink";
import { paintPanelLines } from "../src/plot/lines";
import { buildPlane } from "../src/plot/plane";
import type { Fits, Header, Stretch } from "../src/protocol";
import { State } from "../src/state";
import { Store } from "../src/store";
import { asCsv } from "../src/view/table";
import { decode } from "../src/wire";
import { show } from "./show";

/** Evaluations 0 to 3 are a fit, 4 to 8 the best one, 9 to 12 a grid, 13 and 14 a fit that ran away. */
const LOSS = [9, 6, 5, 5, 8, 4, 2, 1, 1, 9, 400, 700, 30, 9, 1e6];
const stretch = (start: number, stop: number, fit: number, best = stop - 1, text = ""): Stretch => ({
  start,
  stop,
  fit,
  best,
  text,
});
const FITS: Fits = {
  stretches: [
    stretch(0, 4, 1, 3, "BFGS · ended at 5"),
    stretch(4, 9, 2, 8, "BFGS · ended at 1 · lowest"),
    stretch(9, 13, 0),
    stretch(13, 15, 3, 13, "BFGS · ended at 10⁶"),
  ],
  story: [4, 9],
  shown: 2,
  count: 3,
};
const CHOSEN: Fits = { ...FITS, story: [0, 4], shown: 1 };

function packet(fits: Fits | null | undefined, more: Partial<Header> = {}): Uint8Array<ArrayBuffer> {
  const loss = Float64Array.from(LOSS);
  const columns = { iteration: loss.map((_, row) => row), loss, p0: loss.map(Math.sqrt) };
  const head = { ...headAt(14, "finished"), has_scene: false, state: "finished · 5 of 15 iterations" };
  const series = [{ ...SERIES[0], truth: null, bounds: null }] as never;
  const { version: _, rows: __, columns: ___, frames: ____, ...texts } = more;
  const said = fits === undefined ? {} : { fits };
  return encode({ kind: "snapshot", head, series, ...said, ...texts }, columns);
}

function storeOf(fits: Fits | null | undefined, more: Partial<Header> = {}): Store {
  const store = new Store();
  store.apply(decode(packet(fits, more)));
  return store;
}

describe("parts of a run", () => {
  it("are one where all evaluations are one story", () => {
    for (const fits of [undefined, null]) {
      const store = storeOf(fits);
      expect(partsOf(store)).toEqual([{ kind: "story", from: 0, to: 15, fits: [0, 0], best: 0 }]);
      expect(fitsToChoose(store)).toEqual([]);
      expect(fitInWords(store)).toBe("");
    }
    expect(partsOf(new Store())).toHaveLength(1);
    expect(storyOf(new Store()).to).toBe(0);
  });

  it("are the fits and what is of none, the one that is told of among them", () => {
    const store = storeOf(FITS);
    expect(partsOf(store).map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ["fit", 0, 4],
      ["story", 4, 9],
      ["look", 9, 13],
      ["fit", 13, 15],
    ]);
    expect(partAt(store, 10)?.kind).toBe("look");
    expect(fitInWords(store)).toBe("fit 2 of 3 · BFGS · ended at 1 · lowest");
  });

  it("are one where one optimizer goes on where another stopped, and rows that have come since belong to the last", () => {
    const store = storeOf({
      stretches: [stretch(0, 4, 1), stretch(4, 6, 2), stretch(6, 9, 3)],
      story: [4, 9],
      shown: 3,
      count: 3,
    });
    expect(partsOf(store).map(({ kind, from, to, fits }) => [kind, from, to, fits])).toEqual([
      ["fit", 0, 4, [1, 1]],
      ["story", 4, 15, [2, 3]],
    ]);
  });

  it("are more where an optimizer has begun since the fits were told", () => {
    const kinds = (store: Store) => partsOf(store).map(({ kind, from, to }) => [kind, from, to]);
    expect(kinds(storeOf(undefined, { begins: [6, 9] }))).toEqual([
      ["story", 0, 6],
      ["fit", 6, 9],
      ["fit", 9, 15],
    ]);
    expect(kinds(storeOf(FITS, { begins: [14] })).slice(-2)).toEqual([
      ["fit", 13, 14],
      ["fit", 14, 15],
    ]);
    expect(kinds(storeOf(undefined, { begins: [15] }))).toHaveLength(1);
  });

  it("are found among the rows that are here, of a run of which not all are", () => {
    const store = new Store();
    const iteration = Float64Array.of(0, 2, 3, 5, 8, 11, 14);
    store.apply(decode(encode({ kind: "snapshot", fits: FITS }, { iteration, loss: iteration })));
    expect(partsOf(store).map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ["fit", 0, 3],
      ["story", 3, 5],
      ["look", 5, 6],
      ["fit", 6, 7],
    ]);
  });
});

describe("the answers to a reader's questions", () => {
  const caption = { id: "a1", heading: "why?", span: [4, 8], parts: [], cites: [] } as never;
  const asked = (store: Store) => store.questions.value.map(({ request }) => request);
  const answered = () => {
    const store = storeOf(FITS);
    store.ask({ request: 1, text: "why?", span: null, answer: null });
    store.apply(decode(encode({ kind: "update", answers: [{ request: 1, caption }] }, {})));
    store.ask({ request: 2, text: "and now?", span: null, answer: null });
    return store;
  };

  it("leave with the fit that they are about, those that are awaited stay", () => {
    const store = answered();
    expect(asked(store)).toEqual([2, 1]);
    store.apply(decode(encode({ kind: "update", fits: CHOSEN }, {})));
    expect(asked(store)).toEqual([2]);
  });

  it("stay while the same fit is told of, also when everything comes again", () => {
    const store = answered();
    store.apply(decode(encode({ kind: "update", fits: FITS }, {})));
    store.apply(decode(packet(FITS)));
    expect(asked(store)).toEqual([2, 1]);
  });
});

describe("the table behind the plots", () => {
  it("says of each iteration which fit it is of", () => {
    const store = storeOf(FITS);
    const lines = asCsv(store, new State(store)).split("\n");
    expect(lines[0]).toMatch(/^iteration,fit,/);
    expect([1, 6, 10, 15].map((row) => lines[row]?.split(",")[1])).toEqual(["1", "2", "", "3"]);
    const alone = storeOf(undefined);
    expect(asCsv(alone, new State(alone))).not.toContain("fit");
  });
});

describe("the plots of several fits", () => {
  const figureOf = (store: Store, state = new State(store)) =>
    buildFigure(store, state, 700, neededHeight(store, state));

  it("have a scale that a grid does not stretch, nor a fit that ran away", () => {
    const { axis } = figureOf(storeOf(FITS)).panels[0] as never as { axis: { low: number; high: number } };
    expect(axis.high).toBeLessThan(30);
    expect(axis.high).toBeGreaterThanOrEqual(9);
    expect(figureOf(storeOf(undefined)).panels[0]?.axis.high).toBeGreaterThanOrEqual(1e6);
    const plane = buildPlane(
      storeOf(FITS, { series: [SERIES[0], { ...SERIES[0], key: 0, name: "b" }] as never }),
      [0, 0],
      { width: 500, height: 300 } as DOMRect,
    );
    expect(plane?.axes[0].high).toBeLessThan(10);
  });

  it("make room for the numbers of the fits, of several only", () => {
    const heights = [undefined, FITS].map((fits) => {
      const store = storeOf(fits);
      return neededHeight(store, new State(store));
    });
    expect(heights[1]).toBeGreaterThan(heights[0] as number);
  });

  it("never join two fits, nor points of no fit, and one stands out", () => {
    vi.stubGlobal(
      "Path2D",
      class {
        arc() {}
      },
    );
    const strokes: { rows: number; width: number; opacity: number }[] = [];
    let dots = 0;
    let rows = 0;
    const context = {
      globalAlpha: 1,
      lineWidth: 1,
      beginPath: () => {
        rows = 0;
      },
      moveTo: () => {
        rows += 1;
      },
      lineTo: () => {
        rows += 1;
      },
      stroke: () => {
        strokes.push({ rows, width: context.lineWidth, opacity: context.globalAlpha });
      },
      fill: () => {
        dots += 1;
      },
      save() {},
      restore() {},
      rect() {},
      clip() {},
      setLineDash() {},
    };
    const figure = figureOf(storeOf(FITS));
    const paint = (figure: Figure) =>
      paintPanelLines(
        context as never,
        figure,
        figure.panels[0] as never,
        { text: "black", series: [] } as never as Ink,
      );
    paint(figure);
    expect(strokes.map(({ rows }) => rows)).toEqual([4, 5, 2]);
    const [other, story] = strokes;
    expect(story?.width).toBeGreaterThan(other?.width as number);
    expect(story?.opacity).toBeGreaterThan(other?.opacity as number);
    expect(dots).toBe(1); // of the grid's losses one lies within the scale
    strokes.length = 0;
    // An optimizer has begun since the fits were told of.
    paint(figureOf(storeOf(undefined, { begins: [6] })));
    expect(strokes.map(({ rows }) => rows)).toEqual([6, 9]);
    vi.unstubAllGlobals();
  });
});

describe("the choice of a fit", () => {
  let model: FakeModel;
  let el: HTMLElement;
  let controller: AbortController;
  const shadow = () => el.firstElementChild?.shadowRoot as ShadowRoot;
  const find = <T extends HTMLElement>(selector: string) => shadow().querySelector<T>(selector) as T;
  const choice = () => find<HTMLSelectElement>("select[aria-label=fit]");
  const now = () => find("[role=slider]").getAttribute("aria-valuenow");
  const press = (key: string) =>
    find("[role=slider]").dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
    );
  const button = (text: string) =>
    [...shadow().querySelectorAll("button")].find(
      ({ textContent }) => textContent === text,
    ) as HTMLButtonElement;

  beforeEach(() => {
    controller = new AbortController();
    el = document.createElement("div");
    document.body.append(el);
    model = new FakeModel();
    show(model, el, controller.signal);
  });

  afterEach(() => {
    controller.abort();
    el.remove();
  });

  it("is not there where there is one story", () => {
    model.receive(packet(undefined));
    expect(find(".fits").querySelectorAll(":scope > :not([hidden])")).toHaveLength(0);
    expect(button("Compare the fits").parentElement?.hidden).toBe(true);
    press("End");
    expect(now()).toBe("14");
  });

  it("names each fit, sends the choice, and shows the end of what was chosen once it has come", () => {
    model.receive(packet(FITS));
    expect([...choice().options].map(({ text }) => text)).toEqual([
      "1 · BFGS · ended at 5",
      "2 · BFGS · ended at 1 · lowest",
      "3 · BFGS · ended at 10⁶",
    ]);
    expect(choice().value).toBe("2");
    expect(now()).toBe("8");
    choice().value = "1";
    choice().dispatchEvent(new Event("change"));
    expect(model.sent).toEqual([{ type: "fit", fit: 1 }]);
    expect(choice().getAttribute("aria-busy")).toBe("true");
    expect(now()).toBe("8");
    model.receive(encode({ sequence: 2, fits: CHOSEN }));
    expect(now()).toBe("3");
    expect(choice().value).toBe("1");
    expect(choice().hasAttribute("aria-busy")).toBe(false);
    expect(find("[role=status]").textContent).toContain("fit 1 of 3 · BFGS · ended at 5");
  });

  it("is one between objectives as well: of another, nothing of the former stays", () => {
    const names = ["cost · 15 evaluations", "risk · 2 evaluations"];
    model.receive(packet(undefined, { objectives: { names, shown: 0 } }));
    const objective = find<HTMLSelectElement>("select[aria-label=objective]");
    expect([...objective.options].map(({ text }) => text)).toEqual(names);
    expect(choice().parentElement?.hidden).toBe(true);
    press("Home");
    objective.value = "1";
    objective.dispatchEvent(new Event("change"));
    expect(model.sent).toEqual([{ type: "objective", objective: 1 }]);
    const two = Float64Array.of(0, 1);
    model.receive(
      encode(
        { kind: "snapshot", sequence: 2, objectives: { names, shown: 1 } },
        { iteration: two, loss: two },
      ),
    );
    expect(now()).toBe("1");
    expect(objective.value).toBe("1");
    expect(shadow().querySelectorAll(".legend .entry")).toHaveLength(0);
  });

  it("says what stands where the kernel did not follow it", () => {
    model.receive(packet(FITS));
    choice().value = "3";
    choice().dispatchEvent(new Event("change"));
    model.receive(packet({ ...FITS }, { sequence: 3 }));
    expect(choice().value).toBe("2");
  });

  it("leads the keys to the ends of the fit first, then to those of the run", () => {
    model.receive(packet(FITS));
    const walk = (key: string) => {
      press(key);
      return now();
    };
    expect(["Home", "Home", "End", "End", "ArrowLeft", "End"].map(walk)).toEqual([
      "4",
      "0",
      "8",
      "14",
      "13",
      "8",
    ]);
  });

  it("is words alone while the run goes on, and without a kernel", () => {
    model.receive(packet(FITS, { head: { ...headAt(14, "running"), has_scene: false } }));
    expect(find(".fit").hidden).toBe(true);
    expect(find(".fits").textContent).toContain("fit 2 of 3 · BFGS · ended at 1 · lowest");
    const page = document.createElement("div");
    document.body.append(page);
    const end = mountStatic(page, packet(FITS));
    const inside = page.firstElementChild?.shadowRoot as ShadowRoot;
    expect(inside.querySelector<HTMLElement>(".fit")?.hidden).toBe(true);
    expect(inside.querySelector<HTMLElement>(".fits")?.hidden).toBe(false);
    end();
    page.remove();
  });

  it("has a button beside it that lays the fits over each other", () => {
    model.receive(packet(FITS));
    button("Compare the fits").click();
    const [asked] = model.sent as { type: string; request: number }[];
    expect(asked?.type).toBe("compare_fits");
    const failure = { request: asked?.request as number, text: "They could not be compared." };
    model.receive(encode({ sequence: 2, failure }));
    return vi.waitFor(() => expect(shadow().textContent).toContain(failure.text));
  });
});
