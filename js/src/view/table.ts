// The numbers behind the plots as a table: what is drawn, a page of rows at a time, the cursor's row marked.
import { element, react, setAttributes, setText } from "../dom";
import { formatCount, formatNumber, MOST_DIGITS } from "../format";
import { on } from "../listen";
import { derivative, withUnit } from "../plot/panel";
import type { State } from "../state";
import type { Store } from "../store";

const PAGE = 50;

interface Column {
  title: string;
  cell: (row: number) => string;
  /** The same with every digit. */
  raw: (row: number) => string;
}

export interface Table {
  button: HTMLButtonElement;
  node: HTMLElement;
}

export function createTable(store: Store, state: State, signal: AbortSignal): Table {
  const button = element("button", { class: "action", "aria-controls": "data-table" });
  const caption = element("caption");
  const head = element("thead");
  const body = element("tbody");
  const scroll = element(
    "div",
    { class: "table-scroll", role: "group", "aria-label": "data table", tabindex: "0" },
    element("table", {}, caption, head, body),
  );
  const earlier = pager("Earlier", store, signal, () => state.step(-PAGE));
  const later = pager("Later", store, signal, () => state.step(PAGE));
  const node = element(
    "div",
    { class: "table", id: "data-table" },
    scroll,
    element("div", { class: "table-foot" }, earlier, later),
  );

  on(button, "click", () => {
    state.table.value = !state.table.value;
  });
  react(signal, () => {
    const open = state.table.value;
    node.hidden = !open;
    button.textContent = open ? "Show as plots" : "Show as table";
    setAttributes(button, { "aria-expanded": open });
  });
  let shownFrom = -1;
  react(signal, () => {
    if (!state.table.value) return;
    store.version.value;
    const columns = listColumns(store, state);
    const { rows } = store.history;
    const from = Math.max(0, Math.floor(state.row.value / PAGE) * PAGE);
    const to = Math.min(from + PAGE, rows);
    const iteration = (row: number) => formatCount(store.history.value("iteration", row));
    caption.textContent =
      rows === 0
        ? "Nothing is recorded yet."
        : `${capital(store.noun.value)}s ${iteration(from)} to ${iteration(to - 1)} of ${iteration(rows - 1)}`;
    head.replaceChildren(
      element("tr", {}, ...columns.map(({ title }) => element("th", { scope: "col" }, title))),
    );
    const lines = [];
    for (let row = from; row < to; row++) {
      const [first, ...rest] = columns.map(({ cell }) => cell(row));
      lines.push(
        element(
          "tr",
          row === state.row.value ? { "aria-current": "true" } : {},
          element("th", { scope: "row" }, first ?? ""),
          ...rest.map((text) => element("td", {}, text)),
        ),
      );
    }
    body.replaceChildren(...lines);
    earlier.disabled = from === 0;
    later.disabled = to >= rows;
    if (from !== shownFrom) scroll.scrollTop = 0;
    shownFrom = from;
  });
  return { button, node };
}

/** All rows of what is drawn, as comma-separated values with every digit. */
export function asCsv(store: Store, state: State): string {
  const columns = listColumns(store, state, "iteration"); // whatever the view calls it: programs read this
  const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [columns.map(({ title }) => quote(title)).join(",")];
  for (let row = 0; row < store.history.rows; row++) {
    lines.push(columns.map(({ raw }) => raw(row)).join(","));
  }
  return `${lines.join("\n")}\n`;
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}

function pager(text: string, store: Store, signal: AbortSignal, act: () => void): HTMLButtonElement {
  const button = element("button", { class: "action" });
  react(signal, () => setText(button, `${text} ${store.noun.value}s`));
  on(button, "click", act);
  return button;
}

function listColumns(store: Store, state: State, noun: string = store.noun.value): Column[] {
  const { history } = store;
  const { loss_label, loss_unit, compared } = store.head.value;
  const columns: Column[] = [];
  const add = (title: string, key: string, format = formatCell) => {
    const raw = (row: number) => String(history.value(key, row));
    columns.push({ title, cell: (row) => format(history.value(key, row)), raw });
  };
  add(noun, "iteration", formatCount);
  const stretches = store.fits.value?.stretches;
  if (stretches) {
    const raw = (row: number) => {
      const iteration = history.value("iteration", row);
      const own = stretches.find(({ start, stop }) => iteration >= start && iteration < stop);
      return own && own.fit > 0 ? String(own.fit) : "";
    };
    columns.push({ title: "fit", cell: (row) => raw(row) || "–", raw });
  }
  if (!compared) add(withUnit(loss_label || "loss", loss_unit), "loss");
  if (history.column("accepted").includes(0)) {
    add("step", "accepted", (value) => (value === 0 ? "no step" : "accepted"));
  }
  for (const { key, name, label, unit, group, shown } of store.series.value) {
    if (!state.isShown(`p${key}`, shown)) continue;
    const of = compared ? store.groups.value.find((candidate) => candidate.key === group)?.label : undefined;
    add(withUnit(of ? `${of}: ${label || name}` : label || name, unit), `p${key}`);
    if (history.column(`g${key}`).length > 0) add(derivative(loss_label, label || name), `g${key}`);
  }
  for (const { key, name, unit, several, shown } of store.watched.value) {
    if (!state.isShown(`w${key}`, shown)) continue;
    add(`${several ? "least " : ""}${withUnit(name, unit)}`, `w${key}`);
    if (several) add(`largest ${withUnit(name, unit)}`, `h${key}`);
    add(derivative(loss_label, name), `d${key}`);
  }
  return columns;
}

/** With more digits than a sentence has: neighbouring rows are to be told apart. */
function formatCell(value: number): string {
  return Number.isNaN(value) ? "–" : formatNumber(value, MOST_DIGITS);
}
