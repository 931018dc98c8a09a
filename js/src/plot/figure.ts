// What the plots show, before any pixel is painted: panels with their axes, strips, lanes, and where each
// lies. Everything shares one iteration axis and one pair of left and right edges.
import type { EventPhase, Series } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import type { ColumnData } from "../wire";
import { type Line, lossPanel, type Panel, parameterPanel } from "./panel";
import { type Axis, iterationAxis, pixels } from "./scale";

export interface Strip {
  line: Line;
  gradient: ColumnData;
  top: number;
  bottom: number;
}

export interface Lane {
  phase: EventPhase;
  middle: number;
}

export interface Figure {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  axis: Axis;
  x: (iteration: number) => number;
  iterations: ColumnData;
  accepted: ColumnData | null;
  panels: Panel[];
  /** Groups of parameters that found no room. */
  hiddenPanels: number;
  stripsTitle: { text: string; y: number } | null;
  strips: Strip[];
  /** Series whose gradients found no room. */
  hiddenStrips: number;
  lanes: Lane[];
}

const GUTTER = 76;
const MARGIN_RIGHT = 18;
const BAND_LABELS = 22;
export const TITLE = 20;
const PANEL_MINIMUM = 84;
const GAP = 10;
export const STRIP = 13;
const STRIP_GAP = 2;
const LANE = 20;
export const AXIS = 30;
const MAX_PANELS = 6;
const MAX_STRIPS = 12;
const LANES: readonly EventPhase[] = ["forward", "backward", "optimizer"];

interface Content {
  groups: { title: string; lines: Line[] }[];
  hiddenPanels: number;
  strips: { line: Line; gradient: ColumnData }[];
  hiddenStrips: number;
}

/** The height that the figure needs; what is above it goes to the panels. */
export function neededHeight(store: Store, state: State): number {
  const { groups, strips } = collect(store, state);
  return fixedHeight(groups.length, strips.length) + (groups.length + 1.4) * PANEL_MINIMUM;
}

export function buildFigure(store: Store, state: State, width: number, height: number): Figure {
  const { history } = store;
  const { groups, hiddenPanels, strips, hiddenStrips } = collect(store, state);
  const running = store.head.value.status === "running";
  const left = GUTTER;
  const right = Math.max(left + 40, width - MARGIN_RIGHT);
  const axis = iterationAxis(history.firstIteration, history.lastIteration, running, (right - left) / 62);
  const accepted = history.column("accepted").includes(0) ? history.column("accepted") : null;

  // The loss panel is somewhat taller than the others.
  const room = height - fixedHeight(groups.length, strips.length);
  const unit = Math.max(room / (groups.length + 1.4), 30);
  let y = BAND_LABELS;
  const place = (share: number) => {
    const top = y + TITLE;
    y = top + unit * share + GAP;
    return { top, bottom: top + unit * share };
  };

  const panels: Panel[] = [lossPanel(store, place(1.4), accepted)];
  for (const { title, lines } of groups) panels.push(parameterPanel(title, lines, place(1)));
  const stripsTitle = strips.length > 0 ? { text: gradientTitle(store, strips), y } : null;
  if (stripsTitle) y += TITLE;
  const placedStrips = strips.map((strip) => {
    const top = y;
    y += STRIP + STRIP_GAP;
    return { ...strip, top, bottom: top + STRIP };
  });
  y += GAP;
  const lanes = LANES.map((phase, index) => ({ phase, middle: y + LANE * (index + 0.5) }));
  const bottom = y + LANE * LANES.length + 4;
  return {
    width,
    height,
    left,
    right,
    top: BAND_LABELS,
    bottom,
    axis,
    x: pixels(axis, left, right),
    iterations: history.column("iteration"),
    accepted,
    panels,
    hiddenPanels,
    stripsTitle,
    strips: placedStrips,
    hiddenStrips,
    lanes,
  };
}

function fixedHeight(groups: number, strips: number): number {
  const stripsHeight = strips > 0 ? TITLE + strips * (STRIP + STRIP_GAP) : 0;
  return BAND_LABELS + (groups + 1) * (TITLE + GAP) + stripsHeight + GAP + LANE * LANES.length + 4 + AXIS;
}

/** Isolated series first: where not everything fits, what the reader asked for is there. */
function collect(store: Store, state: State): Content {
  const selected = state.selected.value;
  const isIsolated = (series: Series) => selected.includes(series.name);
  const lines = store.series.value
    .map((series, index) => ({
      series,
      index,
      values: store.history.column(`p${series.key}`),
      faded: selected.length > 0 && !isIsolated(series),
    }))
    .filter(({ series }) => series.shown !== false || isIsolated(series));

  const byGroup = new Map<string, Line[]>();
  for (const line of lines) {
    const group = byGroup.get(line.series.group);
    if (group) group.push(line);
    else byGroup.set(line.series.group, [line]);
  }
  const groups = [...byGroup].map(([key, members]) => ({ title: groupTitle(store, key), lines: members }));
  const preferred = groups.filter(({ lines }) => lines.some(({ faded }) => !faded));
  const shownGroups = groups.length > MAX_PANELS ? preferred.slice(0, MAX_PANELS) : groups;

  const withGradient = lines
    .map((line) => ({ line, gradient: store.history.column(`g${line.series.key}`) }))
    .filter(({ gradient }) => gradient.length > 0);
  const strips =
    withGradient.length > MAX_STRIPS
      ? [...withGradient].sort((a, b) => Number(a.line.faded) - Number(b.line.faded)).slice(0, MAX_STRIPS)
      : withGradient;
  return {
    groups: shownGroups,
    hiddenPanels: groups.length - shownGroups.length,
    strips,
    hiddenStrips: withGradient.length - strips.length,
  };
}

/** ∂loss/∂y where all rows are of the group y. */
function gradientTitle(store: Store, strips: { line: Line }[]): string {
  const keys = new Set(strips.map(({ line }) => line.series.group));
  const group = keys.size === 1 ? store.groups.value.find(({ key }) => keys.has(key)) : undefined;
  return `∂${store.head.value.loss_label || "loss"}/∂${group?.label ?? "…"}`;
}

function groupTitle(store: Store, key: string): string {
  const group = store.groups.value.find((candidate) => candidate.key === key);
  if (!group) return key;
  return group.unit ? `${group.label} [${group.unit}]` : group.label;
}
