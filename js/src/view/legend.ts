// Under the plots: one button a series with its value at the cursor. A click isolates it, a second restores.
import { element, react, reconcile, setAttributes, setText } from "../dom";
import { formatNumber, formatWithUnit } from "../format";
import { on } from "../listen";
import { seriesColour, seriesDash } from "../plot/ink";
import type { Series } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { createPicker } from "./picker";

interface Entry {
  series: Series;
  button: HTMLButtonElement;
  value: HTMLElement;
}

export function createLegend(
  store: Store,
  state: State,
  actions: readonly HTMLElement[],
  signal: AbortSignal,
): HTMLElement {
  const list = element("div", { class: "legend", role: "group", "aria-label": "parameters" });
  const picker = createPicker(store, state, signal);
  let entries: Entry[] = [];
  const made = new WeakMap<Node, Entry>();
  const former = new Map();

  react(signal, () => {
    // Of several runs on shared axes, each is named once.
    const first = (series: Series) => store.series.value.find(({ name }) => name === series.name) === series;
    const shown = store.series.value
      .map((series, index) => ({ series, index: series.colour ?? index }))
      .filter(
        ({ series }) =>
          (!store.head.value.compared || first(series)) &&
          (state.isShown(`p${series.key}`, series.shown) || state.selected.value.includes(series.name)),
      );
    const make = ({ series, index }: (typeof shown)[number]) => {
      const entry = createEntry(series, index, state);
      made.set(entry.button, entry);
      return entry.button;
    };
    reconcile(list, shown, ({ series }) => String(series.key), make, former);
    entries = [...list.children].flatMap((node) => made.get(node) ?? []);
  });
  react(signal, () => {
    store.series.value;
    state.toggled.value;
    const selected = state.selected.value;
    for (const { button, series } of entries) {
      const isolated = selected.includes(series.name);
      setAttributes(button, { "aria-pressed": isolated });
      button.classList.toggle("faded", selected.length > 0 && !isolated);
    }
  });
  react(signal, () => {
    store.version.value;
    store.series.value;
    state.toggled.value;
    state.selected.value;
    const row = state.row.value;
    for (const { series, button, value } of entries) {
      const gradient = store.history.value(`g${series.key}`, row);
      const now = store.history.value(`p${series.key}`, row);
      setText(value, row < 0 ? "" : nowOrAtTheEnd(now, series, row, store));
      button.title = describe(series, row < 0 ? Number.NaN : gradient);
    }
  });
  return element(
    "div",
    { class: "legend-box" },
    picker.panel,
    list,
    element("div", { class: "plot-actions" }, picker.button, ...actions),
  );
}

/** Of several runs, one that was shorter says what it ended with. */
function nowOrAtTheEnd(now: number, series: Series, row: number, store: Store): string {
  if (!store.head.value.compared || !Number.isNaN(now)) return formatWithUnit(now, series.unit);
  let last = row;
  while (last >= 0 && Number.isNaN(store.history.value(`p${series.key}`, last))) last--;
  if (last < 0) return "–";
  return `${formatWithUnit(store.history.value(`p${series.key}`, last), series.unit)} (ended)`;
}

function createEntry(series: Series, index: number, state: State): Entry {
  const dashes = ["solid", "dashed", "dotted", "dashed"];
  const swatch = element("span", {
    class: "swatch",
    "aria-hidden": "true",
    style: `border-top-color:${seriesColour(index)};border-top-style:${seriesDash(index).length ? dashes[Math.floor(index / 8) % 4] : "solid"}`,
  });
  const value = element("span", { class: "value" });
  const name = element("span", { class: "name" }, labelOf(series));
  const button = element("button", { class: "entry", "aria-pressed": "false" }, swatch, name, value);
  on(button, "click", (event) =>
    state.isolate(series.name, event.shiftKey || event.ctrlKey || event.metaKey),
  );
  return { series, button, value };
}

/** A series that summarizes many numbers says how. */
export function labelOf({ label, name, statistic }: Series): string {
  const text = label || name;
  return statistic && !text.includes(statistic) ? `${text} (${statistic})` : text;
}

function describe(series: Series, gradient: number): string {
  const lines = [labelOf(series), series.description];
  if (!Number.isNaN(gradient)) lines.push(`gradient ${formatNumber(gradient)}`);
  if (series.truth !== null) lines.push(`truth ${formatWithUnit(series.truth, series.unit)}`);
  return lines.filter(Boolean).join("\n");
}
