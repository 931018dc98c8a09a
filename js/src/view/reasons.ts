// The reasons: what the move of each parameter brought to the loss, by the quantities that add up to it, and beside it
// what pushes each parameter which way at the cursor. Narrow, one parameter at a time.
import { computed, signal as newSignal } from "@preact/signals-core";
import { element, react, setAttributes, setText } from "../dom";
import { formatCount } from "../format";
import type { Link } from "../link";
import { atEnd, on } from "../listen";
import { seriesColour } from "../plot/ink";
import type { Reasons, ReasonTable } from "../reasons_protocol";
import * as told from "../reasons-table";
import type { State } from "../state";
import type { Store } from "../store";
import { spanText } from "./caption";
import { type CellNode, createCell, type Place, roam } from "./reasons-cell";

export interface ReasonsPanel {
  node: HTMLElement;
  /** Lights the cells that something said elsewhere rests on; of another stretch, shows that. */
  light(cells: readonly told.Cell[]): void;
}

const TOGETHER = "together";
/** How long a stretch stands before its reasons are asked for (ms). */
const REST = 200;

export function createReasons(store: Store, state: State, link: Link, signal: AbortSignal): ReasonsPanel {
  const title = element("h3", {}, "Who moved what, and what it brought");
  const legend = element("p", { class: "reasons-legend" });
  const spans = element("div", { class: "reasons-spans", role: "group", "aria-label": "stretch" });
  const why = element("p", { class: "quiet" });
  const left = element("div", { class: "half" });
  const right = element("div", { class: "half" });
  const halves = element("div", { class: "halves" }, left, right);
  const picker = element("select", { "aria-label": "parameter" });
  const one = element("div", { class: "one-parameter" });
  const adds = element("p", { class: "adds" });
  const node = element(
    "section",
    { class: "reasons", "aria-label": "Reasons" },
    element("div", { class: "reasons-head" }, title, legend, spans),
    why,
    halves,
    element("div", { class: "narrow" }, picker, one),
    adds,
  );
  /** The row of the narrow table; −1 is all together. */
  const chosen = newSignal(0);
  /** The buttons of the tables as they stand, and the places that name the cursor's iteration. */
  const made = newSignal<{ cells: CellNode[]; captions: HTMLElement[] }>({ cells: [], captions: [] });

  const shown = computed(() => {
    const reasons = store.reasons.value;
    if (!reasons) return undefined;
    return told.tableOver(reasons, store.reasonsOver.value, state.span.value) ?? reasons.tables[0];
  });
  const press = (reasons: Reasons, table: ReasonTable | undefined) => (place: Place) => {
    const at = state.iteration.peek();
    const span = place.isPush || !table ? ([at, at] as const) : table.span;
    if (!place.isPush) state.span.value = span;
    state.pressed.value = { ...place, span };
    state.litCells.value = [{ ...place, span }];
    if (reasons.rows[place.row]) chosen.value = place.row;
  };

  // Beside each other where there is room for it, without the names twice.
  const place = () => {
    node.classList.add("beside");
    node.classList.toggle("beside", halves.scrollWidth <= halves.clientWidth);
  };
  const observer = new ResizeObserver(place);
  observer.observe(node);
  atEnd(signal, () => observer.disconnect());

  // A stretch of which nothing is known yet is asked for, once the reader has let go of it.
  let timer: ReturnType<typeof setTimeout> | undefined;
  atEnd(signal, () => clearTimeout(timer));
  react(signal, () => {
    clearTimeout(timer);
    const [span, reasons] = [state.span.value, store.reasons.value];
    if (!span || !reasons || reasons.why_not || told.tableOver(reasons, store.reasonsOver.value, span))
      return;
    timer = setTimeout(() => link.requestReasons(span), REST);
  });

  react(signal, () => {
    const reasons = store.reasons.value;
    const table = shown.value;
    node.hidden = !reasons || (!table && !reasons.why_not);
    if (!reasons || node.hidden) return;
    const missing = reasons.why_not || table?.why_not || "";
    setText(why, missing);
    why.hidden = !missing;
    legend.hidden = missing !== "";
    adds.hidden = missing !== "";
    legend.replaceChildren(
      element("span", { class: "key lower" }, `made it ${reasons.lower}`),
      element("span", { class: "key" }, `made it ${reasons.higher}`),
    );
    showSpans(spans, reasons, table, store, state);
    const grid = table && !missing ? told.gridOf(table) : null;
    if (table && grid) setText(adds, `It adds up: ${told.sumInWords(reasons, table, grid)}`);

    const options = [...reasons.rows.map(({ label }) => label), ...(grid ? [TOGETHER] : [])];
    if ([...picker.options].map(({ text }) => text).join() !== options.join()) {
      picker.replaceChildren(
        ...options.map((text, row) =>
          element("option", { value: row < reasons.rows.length ? row : -1 }, text),
        ),
      );
    }
    picker.value = String(chosen.value);
    const focused = (node.getRootNode() as ShadowRoot).activeElement;
    const before = made.peek().cells.find(({ button }) => button === focused);
    const isNarrow = (cell: CellNode) => cell.button.closest(".narrow") !== null;
    const wasNarrow = before && isNarrow(before);
    const make = createMaker(reasons, store, press(reasons, table));
    left.replaceChildren(...(table && grid ? [make.brought(table, grid)] : []));
    right.replaceChildren(...(reasons.pushes ? [make.pushes()] : []));
    one.replaceChildren(...(grid || reasons.pushes ? [make.one(chosen.value, table, grid)] : []));
    place();
    for (const each of node.querySelectorAll("table")) roam(each);
    made.value = make;
    const same = before && make.cells.find((cell) => isAt(cell, before) && isNarrow(cell) === wasNarrow);
    same?.button.focus({ preventScroll: true });
  });

  // The right half follows the cursor: its buttons stay, what stands in them changes.
  react(signal, () => {
    const reasons = store.reasons.value;
    const { cells, captions } = made.value;
    if (!reasons?.pushes) return;
    const pushes = told.pushesAt(reasons, state.iteration.value);
    if (!pushes) return;
    for (const text of captions) setText(text, `${store.noun.value} ${formatCount(pushes.iteration)}`);
    for (const { row, term, isPush, show } of cells) {
      const numbers = pushes.rows[row];
      const value = numbers?.[term < 0 ? numbers.length - 1 : term];
      if (!isPush || value === undefined) continue;
      const decimals = pushes.decimals[row] ?? 0;
      const name = term < 0 ? TOGETHER : (reasons.terms[term]?.label ?? "the rest");
      show(value, pushes.scales[row] ?? 0, decimals, told.pushLabel(reasons, row, name, value, decimals));
    }
  });

  react(signal, () => {
    const lit = state.litCells.value;
    for (const cell of made.value.cells) {
      const isLit = lit.some((each) => isAt(each, cell));
      setAttributes(cell.button, { "aria-current": isLit ? "true" : null });
    }
  });

  const light = (lit: readonly told.Cell[]) => {
    const [first] = lit;
    state.litCells.value = lit;
    if (!first) return;
    chosen.value = first.row;
    if (!first.isPush) state.span.value = first.span;
  };
  react(signal, () => {
    const cited = state.cited.value;
    const reasons = store.reasons.peek();
    if (cited && reasons) {
      const lit = told.cellsOf(reasons, [cited]);
      if (lit.length > 0) light(lit);
    }
  });
  on(picker, "change", () => {
    chosen.value = Number(picker.value);
  });
  return { node, light };
}

function isAt(one: Place, other: Place): boolean {
  return one.row === other.row && one.term === other.term && one.isPush === other.isPush;
}

function showSpans(
  place: HTMLElement,
  reasons: Reasons,
  shown: ReasonTable | undefined,
  store: Store,
  state: State,
): void {
  const own = reasons.tables.length > 0 ? [...reasons.tables] : [];
  if (shown && !own.includes(shown)) own.push(shown);
  const buttons = own.map((table, k) => {
    const whole = store.fits.value ? "whole fit" : "whole run";
    const text = k === 0 ? whole : table.label ? `${k} ${table.label}` : spanText(table.span, store);
    const button = element("button", { "aria-pressed": table === shown }, text);
    on(button, "click", () => {
      state.span.value = k === 0 ? null : table.span;
    });
    return button;
  });
  const focused = [...place.children].indexOf(
    (place.getRootNode() as ShadowRoot).activeElement as HTMLElement,
  );
  place.replaceChildren(...buttons);
  place.hidden = buttons.length < 2;
  if (focused >= 0) buttons[Math.min(focused, buttons.length - 1)]?.focus();
}

/** Makes the tables; gathers the buttons in them, and the places that name the cursor's iteration. */
function createMaker(reasons: Reasons, store: Store, press: (place: Place) => void) {
  const { rows, terms, unit } = reasons;
  const cells: CellNode[] = [];
  const captions: HTMLElement[] = [];
  const added = terms.filter(({ factor }) => factor !== null);

  const rowHead = (row: number) => {
    const { name, label } = rows[row] ?? { name: "", label: TOGETHER };
    const series = store.series.peek().findIndex((each) => each.name === name);
    const dot = element("span", { class: "row-dot" });
    if (series >= 0) dot.style.background = seriesColour(store.series.peek()[series]?.colour ?? series);
    const text = element("span", { class: "row-name" }, label);
    return element("th", { scope: "row", title: label }, series >= 0 ? dot : null, text);
  };
  const heads = (names: readonly string[]) =>
    element(
      "tr",
      {},
      element("td"),
      ...names.map((name) => element("th", { scope: "col", title: name }, element("span", {}, name))),
    );
  const cell = (row: number, term: number, isPush: boolean) => {
    const made = createCell({ row, term, isPush }, press);
    cells.push(made);
    return made;
  };
  /** The columns: their names and which quantity each is of. */
  const columns = (of: typeof terms, hasRest: boolean): [name: string, term: number][] => [
    ...of.map(({ label }, term): [string, number] => [label, term]),
    ...(hasRest ? [["the rest", of.length] as [string, number]] : []),
    [TOGETHER, -1],
  ];
  const broughtCell = (row: number, name: string, term: number, value: number, grid: told.Grid) => {
    const made = cell(row, term, false);
    const label = rows[row]?.label ?? TOGETHER;
    const scale = row < 0 && term < 0 ? 0 : grid.scale;
    made.show(value, scale, grid.decimals, told.cellLabel(reasons, label, name, value, grid.decimals));
    return element("td", {}, made.button);
  };
  const pushCell = (row: number, term: number) => {
    const isTold = reasons.pushes?.parts[0]?.[row] != null;
    return element("td", {}, isTold ? cell(row, term, true).button : "–");
  };
  const now = () => {
    const text = element("span");
    captions.push(text);
    return text;
  };
  const of = (name: string) => (name ? ` · ${name}` : "");
  const hasPushRest = reasons.pushes?.is_whole === false;

  return {
    cells,
    captions,
    brought(table: ReasonTable, grid: told.Grid): HTMLTableElement {
      const own = columns(added, grid.hasRest);
      const line = (row: number, numbers: readonly number[]) =>
        element(
          "tr",
          {},
          rowHead(row),
          ...own.map(([name, term], k) => broughtCell(row, name, term, numbers[k] ?? 0, grid)),
        );
      const over = grid.leftOver?.map((left) => element("td", {}, told.cellText(left, grid.decimals)));
      return element(
        "table",
        {},
        element("caption", {}, `What moving each brought, ${spanText(table.span, store)}`, of(unit)),
        element("thead", {}, heads(own.map(([name]) => name))),
        element("tbody", {}, ...grid.rows.map((numbers, row) => line(row, numbers))),
        element(
          "tfoot",
          {},
          over ? element("tr", {}, element("th", { scope: "row" }, "left over"), ...over) : null,
          line(-1, grid.changes),
        ),
      );
    },
    pushes(): HTMLTableElement {
      const own = columns(terms, hasPushRest);
      return element(
        "table",
        { class: "pushes" },
        element("caption", {}, "What pushes it at ", now(), of(told.pushUnit(reasons)), ...ways(reasons)),
        element("thead", {}, heads(own.map(([name]) => name))),
        element(
          "tbody",
          {},
          ...rows.map((_, row) =>
            element("tr", {}, rowHead(row), ...own.map(([, term]) => pushCell(row, term))),
          ),
        ),
      );
    },
    one(chosen: number, table: ReasonTable | undefined, grid: told.Grid | null): HTMLTableElement {
      const row = chosen < rows.length ? chosen : 0;
      const numbers = (row < 0 ? grid?.changes : grid?.rows[row]) ?? [];
      const hasRest = grid?.hasRest || hasPushRest;
      const lines = columns(terms, hasRest).map(([name, term]) => {
        const isAdded = term < 0 || term < added.length || (term === terms.length && grid?.hasRest);
        const place = term < 0 ? numbers.length - 1 : Math.min(term, added.length);
        const left =
          isAdded && grid ? broughtCell(row, name, term, numbers[place] ?? 0, grid) : element("td", {}, "–");
        const right =
          row < 0 || (term === terms.length && !hasPushRest) ? element("td") : pushCell(row, term);
        return element("tr", {}, element("th", { scope: "row" }, name), left, reasons.pushes ? right : null);
      });
      const brought = table ? `${spanText(table.span, store)}${of(unit)}` : "";
      return element(
        "table",
        {},
        element("caption", { class: "visually-hidden" }, rows[row]?.label ?? TOGETHER),
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("td"),
            element("th", { scope: "col" }, "brought", element("small", {}, brought)),
            reasons.pushes
              ? element(
                  "th",
                  { scope: "col" },
                  "pushes",
                  element("small", {}, now(), of(told.pushUnit(reasons))),
                )
              : null,
          ),
        ),
        element("tbody", {}, ...lines),
      );
    },
  };
}

/** What the arrows mean, where all parameters have the same directions. */
function ways({ rows }: Reasons): HTMLElement[] {
  const all = new Set(
    rows.filter(({ name }) => name).map(({ directions }) => (directions ?? ["less", "more"]).join(" / ")),
  );
  const [one = ""] = all;
  if (all.size !== 1) return [];
  const [less = "", more = ""] = one.split(" / ");
  return [element("span", { class: "key way lower" }, less), element("span", { class: "key way" }, more)];
}
