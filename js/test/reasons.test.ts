// The reasons: their numbers and words, and the panel as a reader meets it.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encode } from "../dev/packet";
import { SERIES } from "../dev/rail-texts";
import { Link } from "../src/link";
import type { Reasons, ReasonTable } from "../src/reasons_protocol";
import * as told from "../src/reasons-table";
import { State } from "../src/state";
import { Store } from "../src/store";
import { createReasons, type ReasonsPanel } from "../src/view/reasons";

const table = (changes: Partial<ReasonTable> = {}): ReasonTable => ({
  span: [0, 9],
  label: "",
  parts: [
    [-35.2, 1.4],
    [0.9, -62.3],
  ],
  together: [-33.8, -61.4],
  changes: [-34.3, -60.9],
  change: -95.2,
  doubt: 0.02,
  why_not: "",
  ...changes,
});

const reasons = (changes: Partial<Reasons> = {}): Reasons => ({
  why_not: "",
  unit: "M€",
  lower: "cheaper",
  higher: "dearer",
  rows: [
    { name: "first", label: "first point", unit: "km", directions: ["south", "north"] },
    { name: "fourth", label: "fourth point", unit: "km", directions: null },
  ],
  terms: [
    { name: "fountain", label: "fountain", unit: "M€", factor: 1 },
    { name: "valley", label: "valley", unit: "min", factor: 10 },
  ],
  tables: [table(), table({ span: [0, 4], label: "descent" })],
  pushes: {
    iterations: [0, 4, 9],
    parts: [0, 1, 2].map((k) => [
      [-6.7 - k, 0.23, -6.47 - k],
      [0.5, 5.8, 6.3],
    ]),
    is_whole: true,
  },
  facts: [{ id: "F3", span: [0, 9], row: 1, terms: [1] }],
  ...changes,
});

describe("the numbers", () => {
  it("are shown with the decimals that are known, on one scale", () => {
    const grid = told.gridOf(table());
    expect([grid.scale, grid.decimals]).toEqual([62.3, 1]);
    expect(grid.rows).toEqual([
      [-35.2, 1.4, -33.8],
      [0.9, -62.3, -61.4],
    ]);
    expect(told.gridOf(table({ doubt: 0.27 })).decimals).toBe(0);
    expect(told.cellText(-62.3, 1)).toBe("−62.3");
    expect(told.cellText(1.44, 1)).toBe("+1.4");
    expect(told.cellText(-0.04, 1)).toBe("0");
    expect(told.cellText(1234, -2)).toBe("+1200");
    expect(told.cellText(-0.00000123456, 8)).toBe("−1.23×10⁻⁶");
  });

  it("that leave something over say so from half a percent of the change on", () => {
    expect(told.gridOf(table()).hasRest).toBe(false);
    expect(told.gridOf(table()).leftOver).toBe(null);
    const rest = told.gridOf(table({ together: [-30, -61.4], change: -91.4 }));
    expect(rest.rows[0]?.[2]).toBeCloseTo(3.8);
    expect(rest.changes.at(-1)).toBe(-91.4);
    const over = told.gridOf(table({ changes: [-34.3, -58], change: -92.3 }));
    expect(over.leftOver?.map((left) => Math.round(left * 10) / 10)).toEqual([0, 2.9, 2.9]);
  });

  it("of no quantity that adds up are those of all together alone", () => {
    const grid = told.gridOf(table({ parts: [[], []], changes: [] }));
    expect(grid.rows).toEqual([[-33.8], [-61.4]]);
    expect(grid.changes).toEqual([-95.2]);
  });

  it("are read out as what they mean", () => {
    const all = reasons();
    expect(told.cellLabel(all, "fourth point", "valley", -62.3, 1)).toBe(
      "fourth point, valley: 62.3\u00a0M€ cheaper",
    );
    expect(told.pushLabel(all, 0, "valley", 5.8, 1)).toBe("first point, valley: pushed north, 5.8");
    expect(told.pushLabel(all, 1, "valley", -5.8, 1)).toBe("fourth point, valley: pushed less, 5.8");
    expect(told.sumInWords(all, table(), told.gridOf(table()))).toBe(
      "−95.2\u00a0M€ is the whole change, nothing is left over. 1\u00a0min of valley counts 10\u00a0M€.",
    );
    expect(told.pushUnit(all)).toBe("M€ per km");
  });

  it("of pushes are those of the nearest iteration that is known", () => {
    expect(told.pushesAt(reasons(), 6)?.iteration).toBe(4);
    expect(told.pushesAt(reasons(), 100)?.rows[0]?.slice(0, 2)).toEqual([-8.7, 0.23]);
    expect(told.pushesAt(reasons({ pushes: null }), 3)).toBe(null);
  });

  it("of facts are cells, and cells those of facts", () => {
    const [cell] = told.cellsOf(reasons(), ["F3", "F9"]);
    expect(cell).toEqual({ row: 1, term: 1, span: [0, 9], isPush: false });
    expect(told.factsOf(reasons(), cell as told.Cell)).toEqual(["F3"]);
    expect(told.factsOf(reasons(), { ...(cell as told.Cell), isPush: true })).toEqual([]);
  });
});

describe("the panel", () => {
  let store: Store;
  let state: State;
  let panel: ReasonsPanel;
  let sent: unknown[];
  let controller: AbortController;

  const show = (content: Reasons) => {
    const columns = { iteration: Float64Array.from({ length: 10 }, (_, k) => k), loss: new Float64Array(10) };
    link.receive(
      encode({ kind: "snapshot", sequence: 1, run: "r", series: [...SERIES], reasons: content }, columns, []),
    );
  };
  let link: Link;
  const button = (label: string) =>
    panel.node.querySelector<HTMLButtonElement>(`.half [aria-label="${label}"]`) as HTMLButtonElement;

  beforeEach(() => {
    controller = new AbortController();
    sent = [];
    store = new Store();
    state = new State(store);
    link = new Link(store, (message) => sent.push(message));
    panel = createReasons(store, state, link, controller.signal);
    document.body.append(panel.node);
  });
  afterEach(() => {
    controller.abort();
    panel.node.remove();
  });

  it("is not there before the run has ended", () => {
    expect(panel.node.hidden).toBe(true);
  });

  it("says in one line why there are no reasons, without an empty table", () => {
    show(reasons({ why_not: "Nothing moved.", tables: [], rows: [], terms: [], pushes: null, facts: [] }));
    expect(panel.node.hidden).toBe(false);
    expect(panel.node.querySelectorAll("table").length).toBe(0);
    expect(panel.node.textContent).toContain("Nothing moved.");
  });

  it("is a table whose cells select their stretch and tell which one was pressed", () => {
    show(reasons());
    const cell = button("fourth point, valley: 62.3\u00a0M€ cheaper");
    expect(cell.closest("td")?.parentElement?.querySelector("th")?.textContent).toBe("fourth point");
    cell.click();
    expect(state.span.value).toEqual([0, 9]);
    expect(state.pressed.value).toEqual({ row: 1, term: 1, span: [0, 9], isPush: false });
    expect(button("fourth point, valley: 62.3\u00a0M€ cheaper").getAttribute("aria-current")).toBe("true");
  });

  it("follows the cursor, and keeps the focus where it is", () => {
    show(reasons());
    state.moveTo(0);
    const cell = button("first point, fountain: pushed south, 6.7");
    cell.focus();
    state.moveTo(9);
    expect(cell.getAttribute("aria-label")).toBe("first point, fountain: pushed south, 8.7");
    expect(document.activeElement).toBe(cell);
  });

  it("lights the cells of a fact that is cited, over its stretch", () => {
    show(reasons());
    state.cited.value = "F3";
    expect(state.span.value).toEqual([0, 9]);
    expect(button("fourth point, valley: 62.3\u00a0M€ cheaper").getAttribute("aria-current")).toBe("true");
  });

  it("goes from cell to cell with the arrow keys, one of them in the order of the tab key", () => {
    show(reasons());
    const [first, second] = panel.node.querySelectorAll<HTMLButtonElement>(".half:first-child button");
    expect([first?.tabIndex, second?.tabIndex]).toEqual([0, -1]);
    first?.focus();
    first?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    expect(document.activeElement).toBe(second);
    expect([first?.tabIndex, second?.tabIndex]).toEqual([-1, 0]);
  });

  it("asks for a stretch that it does not have, and shows it once it is here", async () => {
    link.hasKernel.value = true;
    show(reasons());
    state.span.value = [2, 7];
    await expect.poll(() => sent).toEqual([{ type: "reasons", span: [2, 7] }]);
    store.reasonsOver.value = table({
      span: [2, 7],
      parts: [
        [-1, 0],
        [0, 0],
      ],
      together: [-1, 0],
    });
    expect(panel.node.querySelector("caption")?.textContent).toContain("2–7");
  });

  it("shows one parameter at a time where it is narrow", () => {
    show(reasons());
    const picker = panel.node.querySelector("select") as HTMLSelectElement;
    picker.value = "1";
    picker.dispatchEvent(new Event("change"));
    const rows = [...panel.node.querySelectorAll(".one-parameter tbody tr")].map((row) => row.textContent);
    expect(rows[1]).toContain("valley−62.35.8");
  });
});
