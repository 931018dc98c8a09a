// Which of the recorded quantities are drawn: those shown at first, with what the reader added or took away;
// isolated ones first, so that where not everything fits, what the reader asked for is there.
import type { Series } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import type { ColumnData } from "../wire";
import { type Band, derivative, type Line, withUnit } from "./panel";

const MAX_PANELS = 6;
const MAX_STRIPS = 12;

export interface Content {
  groups: { title: string; lines: Line[]; log: boolean }[];
  hiddenPanels: number;
  stripsTitle: string;
  strips: { line: Line; gradient: ColumnData }[];
  hiddenStrips: number;
  watched: Band[];
}

export function collect(store: Store, state: State): Content {
  const lines = shownLines(store, state);
  const byGroup = new Map<string, Line[]>();
  for (const line of lines) {
    const group = byGroup.get(line.series.group);
    if (group) group.push(line);
    else byGroup.set(line.series.group, [line]);
  }
  const groups = [...byGroup].map(([key, members]) => {
    const group = store.groups.value.find((candidate) => candidate.key === key);
    const title = group ? withUnit(group.label, group.unit) : key;
    return { title, lines: members, log: group?.log ?? false };
  });
  const preferred = groups.filter((group) => group.lines.some(({ faded }) => !faded));
  const shownGroups = groups.length > MAX_PANELS ? preferred.slice(0, MAX_PANELS) : groups;

  const withGradient = lines
    .map((line) => ({ line, gradient: store.history.column(`g${line.series.key}`) }))
    .filter(({ gradient }) => gradient.some((value) => !Number.isNaN(value)));
  const strips =
    withGradient.length > MAX_STRIPS
      ? [...withGradient].sort((a, b) => Number(a.line.faded) - Number(b.line.faded)).slice(0, MAX_STRIPS)
      : withGradient;
  return {
    groups: shownGroups,
    hiddenPanels: groups.length - shownGroups.length,
    stripsTitle: gradientTitle(store, strips),
    strips,
    hiddenStrips: withGradient.length - strips.length,
    watched: shownBands(store, state),
  };
}

function shownLines(store: Store, state: State): Line[] {
  const selected = state.selected.value;
  const isIsolated = (series: Series) => selected.includes(series.name);
  return store.series.value
    .map((series, index) => ({
      series,
      index: series.colour ?? index,
      values: store.history.column(`p${series.key}`),
      faded: selected.length > 0 && !isIsolated(series),
    }))
    .filter(({ series }) => state.isShown(`p${series.key}`, series.shown) || isIsolated(series));
}

function shownBands(store: Store, state: State): Band[] {
  return store.watched.value
    .filter(({ key, shown }) => state.isShown(`w${key}`, shown))
    .map((watched) => {
      const cotangent = store.history.column(`d${watched.key}`);
      return {
        watched,
        low: store.history.column(`w${watched.key}`),
        high: store.history.column(`h${watched.key}`),
        cotangent,
        changes: isChanging(cotangent),
      };
    });
}

/** Whether known values differ by more than rounding does. */
function isChanging(values: ColumnData): boolean {
  const first = values.find((value) => !Number.isNaN(value)) ?? Number.NaN;
  return values.some((value) => Math.abs(value - first) > 1e-6 * Math.abs(first));
}

/** ∂cost/∂y where all rows are of the group y. */
function gradientTitle(store: Store, strips: { line: Line }[]): string {
  const keys = new Set(strips.map(({ line }) => line.series.group));
  const group = keys.size === 1 ? store.groups.value.find(({ key }) => keys.has(key)) : undefined;
  return derivative(store.head.value.loss_label, group?.label ?? "…");
}
