// Without a scene: what moved, from its start to the cursor, a row a parameter on a scale that those of one group share.
import { endsOf } from "../chapters";
import { element, react, setText } from "../dom";
import { formatPair } from "../format";
import { seriesColour } from "../plot/ink";
import { isWide } from "../plot/panel";
import type { Series } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { labelOf } from "./legend";

const MOST = 9;

interface Row {
  series: Series;
  from: HTMLElement;
  to: HTMLElement;
  bar: HTMLElement;
  value: HTMLElement;
}

export function createDumbbells(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const list = element("ul", { class: "dumbbells", "aria-label": "from start to cursor" });
  const title = element("p", { class: "dumbbells-title" });
  const rest = element("p", { class: "hint" });
  const node = element("div", { class: "moved" }, title, list, rest);
  let rows: Row[] = [];
  let named = "";
  react(signal, () => {
    store.version.value;
    const hidden = store.head.value.has_scene || state.showsPlane.value || store.series.value.length === 0;
    node.hidden = hidden;
    if (hidden) return;
    const { compared, status } = store.head.value;
    const all = shownSeries(store);
    const seen = all.slice(0, MOST);
    const names = JSON.stringify(seen);
    if (names !== named) {
      named = names;
      rows = seen.map((series) => createRow(series, store));
      list.replaceChildren(...rows.map(createItem));
    }
    const whose = compared ? store.head.value.loss_label || "loss" : "parameters";
    setText(
      title,
      `${compared ? "" : "What moved: "}${whose}, start to ${status === "running" ? "now" : "cursor"}`,
    );
    setText(rest, all.length > seen.length ? `and ${all.length - seen.length} others` : "");
    rest.hidden = all.length <= seen.length;
    place(rows, store, state);
  });
  return node;
}

/** The parameters that moved most beside what their group spans; of several runs, the loss of each. */
function shownSeries(store: Store): Series[] {
  const { compared, status } = store.head.value;
  const series = store.series.value;
  if (compared) return series.filter(({ group }) => group === store.groups.value[0]?.key);
  const shown = series.filter((each) => each.shown);
  // Of a run that goes on, the order stays.
  if (shown.length <= MOST || status === "running") return shown;
  const [first, last] = endsOf(store);
  const moved = (key: number) =>
    Math.abs(store.history.value(`p${key}`, last) - store.history.value(`p${key}`, first)) || 0;
  const most = new Set([...shown].sort((one, other) => moved(other.key) - moved(one.key)).slice(0, MOST));
  return [...shown.filter((each) => most.has(each)), ...shown.filter((each) => !most.has(each))];
}

function createRow(series: Series, store: Store): Row {
  const index = series.colour ?? store.series.value.indexOf(series);
  const colour = `background:${seriesColour(index)}`;
  const [from, to, bar] = ["from", "to", "bar"].map((name) =>
    element("span", { class: `bell-${name}`, style: colour }),
  );
  return { series, from, to, bar, value: element("span", { class: "bell-value" }) } as Row;
}

function createItem({ series, from, to, bar, value }: Row): HTMLElement {
  const name = element("span", { class: "bell-name", title: series.description }, labelOf(series));
  return element(
    "li",
    {},
    name,
    element("span", { class: "bell", "aria-hidden": "true" }, bar, from, to),
    value,
  );
}

function place(rows: readonly Row[], store: Store, state: State): void {
  const { history } = store;
  const [first, last] = endsOf(store);
  const at = state.row.value;
  const scales = new Map<string, [low: number, high: number]>();
  // Of several runs, one that was shorter stands where it ended.
  const compared = store.head.peek().compared;
  const valueAt = (key: number, row: number) => {
    let known = row;
    while (compared && known > 0 && Number.isNaN(history.value(`p${key}`, known))) known--;
    return history.value(`p${key}`, known);
  };
  for (const { series } of rows) {
    const ends = [first, last, at].map((row) => valueAt(series.key, row)).filter(Number.isFinite);
    const [low, high] = scales.get(series.group) ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    scales.set(series.group, [Math.min(low, ...ends), Math.max(high, ...ends)]);
  }
  for (const { series, from, to, bar, value } of rows) {
    const [low, high] = scales.get(series.group) ?? [0, 1];
    const scale = isWide({ low, high }) && compared ? Math.log : (number: number) => number;
    const share = (number: number) =>
      high > low ? (100 * (scale(number) - scale(low))) / (scale(high) - scale(low)) : 50;
    const start = history.value(`p${series.key}`, first);
    const now = valueAt(series.key, at);
    setText(value, at < 0 ? "" : formatPair(start, now, series.unit).join(" → "));
    const known = Number.isFinite(start) && Number.isFinite(now);
    for (const each of [from, to, bar]) each.hidden = !known;
    if (!known) continue;
    const [left, right] = [Math.min(share(start), share(now)), Math.max(share(start), share(now))];
    from.style.left = `${share(start)}%`;
    to.style.left = `${share(now)}%`;
    bar.style.left = `${left}%`;
    bar.style.width = `${right - left}%`;
  }
}
