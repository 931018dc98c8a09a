// What the plots show, before any pixel is painted: panels with their axes, strips, lanes, and where each
// lies. Everything shares one iteration axis and one pair of left and right edges.
import { type Part, partsOf } from "../fits";
import type { EventPhase } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import type { ColumnData } from "../wire";
import { type Content, collect } from "./content";
import { type EndLabel, labelWidth, placeLabels } from "./labels";
import { lossPanel, type Panel, parameterPanel, type Window, watchedPanel, withUnit } from "./panel";
import { type Axis, iterationAxis, pixels, zoomedAxis } from "./scale";

export interface Strip {
  gradient: ColumnData;
  /** The largest magnitude of the whole run: colours stay the same at any zoom. */
  strength: number;
  /** Place in the palette; null where the strip belongs to the panel above it. */
  colour: number | null;
  /** A size without a sign. */
  size: boolean;
  faded: boolean;
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
  window: Window;
  /** What the rows in view belong to; one part where all of them are one story. */
  parts: Part[];
  /** There is room for their numbers. */
  numbered: boolean;
  panels: Panel[];
  labels: EndLabel[];
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
/** Above those, the numbers of the fits. */
const FIT_LABELS = 18;
export const TITLE = 20;
const PANEL_MINIMUM = 84;
const GAP = 10;
export const STRIP = 13;
const STRIP_GAP = 2;
const WATCHED_STRIP = 7;
const LANE = 20;
export const AXIS = 30;
/** Shares of the height that is free. */
const LOSS = 1.4;
const WATCHED = 0.6;
const LANES: readonly EventPhase[] = ["forward", "backward", "optimizer"];

/** The height that the figure needs; what is above it goes to the panels. */
export function neededHeight(store: Store, state: State): number {
  const content = collect(store, state);
  const { compared } = store.head.value;
  return labelsHeight(store) + fixedHeight(content, compared) + shares(content, compared) * PANEL_MINIMUM;
}

export function buildFigure(store: Store, state: State, width: number, height: number): Figure {
  const { history } = store;
  const content = collect(store, state);
  const { status, compared } = store.head.value;
  const running = status === "running";
  const left = GUTTER;
  const right = Math.max(left + 40, width - Math.max(MARGIN_RIGHT, labelWidth(content.groups, width)));
  const room = (right - left) / 62;
  const view = state.view.value;
  const axis = view
    ? zoomedAxis(view[0], view[1], room)
    : iterationAxis(history.firstIteration, history.lastIteration, running, room);
  const window = {
    from: view ? Math.max(0, history.rowAt(view[0])) : 0,
    to: view ? history.rowAt(view[1]) + 2 : history.rows,
  };
  const accepted = history.column("accepted").includes(0) ? history.column("accepted") : null;
  const parts = partsOf(store);
  const course = { accepted, window, parts };
  const story = parts.find(({ kind }) => kind === "story");
  const strengthOf = (key: string) =>
    parts.length > 1 && story ? history.strengthIn(key, story.from, story.to) : history.strength(key);

  const top = labelsHeight(store);
  const unit = Math.max((height - top - fixedHeight(content, compared)) / shares(content, compared), 30);
  let y = top;
  const place = (share: number) => {
    const top = y + TITLE;
    y = top + unit * share + GAP;
    return { top, bottom: top + unit * share };
  };

  const lossTitle = withUnit(store.head.value.loss_label || "loss", store.head.value.loss_unit);
  const loss = history.column("loss");
  const panels: Panel[] = [];
  if (!compared) panels.push(lossPanel(lossTitle, loss, place(LOSS), course));
  const strips: Strip[] = [];
  for (const band of content.watched) {
    const panel = watchedPanel(band, place(WATCHED), course);
    panels.push(panel);
    y += 2;
    // What the gradient asks is told where it changes: a strip of one colour tells nothing.
    if (!band.changes) continue;
    const top = panel.bottom + 4;
    const strength = strengthOf(`d${band.watched.key}`);
    const own = { colour: null, size: false, faded: false, top, bottom: top + WATCHED_STRIP };
    strips.push({ gradient: band.cotangent, strength, ...own });
    y = top + WATCHED_STRIP + 4;
  }
  for (const group of content.groups) {
    panels.push(parameterPanel(group, place(group.log ? LOSS : 1), course));
  }
  const stripsTitle = content.strips.length > 0 ? { text: content.stripsTitle, y } : null;
  if (stripsTitle) y += TITLE;
  const ofParameters = content.strips.map(({ line, gradient }): Strip => {
    const top = y;
    y += STRIP + STRIP_GAP;
    return {
      gradient,
      strength: strengthOf(`g${line.series.key}`),
      colour: line.index,
      // A summary of a large array has no sign.
      size: line.series.statistic !== "",
      faded: line.faded,
      top,
      bottom: top + STRIP,
    };
  });
  strips.push(...ofParameters);
  if (stripsTitle) y += GAP - 4;
  y += GAP;
  // Events are of one run.
  const lanes = (compared ? [] : LANES).map((phase, index) => ({ phase, middle: y + LANE * (index + 0.5) }));
  const bottom = y + LANE * lanes.length + 4;
  return {
    width,
    height,
    left,
    right,
    top,
    bottom,
    axis,
    x: pixels(axis, left, right),
    iterations: history.column("iteration"),
    accepted,
    window,
    parts,
    numbered: top > BAND_LABELS,
    panels,
    labels: labelWidth(content.groups, width) > 0 ? placeLabels(panels, course, right, width) : [],
    hiddenPanels: content.hiddenPanels,
    stripsTitle,
    strips,
    hiddenStrips: content.hiddenStrips,
    lanes,
  };
}

function labelsHeight(store: Store): number {
  return BAND_LABELS + (store.fits.value ? FIT_LABELS : 0);
}

function shares({ groups, watched }: Content, compared: boolean): number {
  const loss = compared ? 0 : LOSS;
  return loss + groups.reduce((sum, { log }) => sum + (log ? LOSS : 1), 0) + watched.length * WATCHED;
}

function fixedHeight({ groups, strips, watched }: Content, compared: boolean): number {
  const stripsHeight = strips.length > 0 ? TITLE + strips.length * (STRIP + STRIP_GAP) + GAP - 4 : 0;
  const ofWatched = watched.map(
    ({ changes }) => TITLE + GAP + 2 + (changes ? WATCHED_STRIP + 8 - GAP - 2 : 0),
  );
  const watchedHeight = ofWatched.reduce((sum, each) => sum + each, 0);
  const lanesHeight = GAP + (compared ? 0 : LANE * LANES.length) + 4 + AXIS;
  const panels = groups.length + (compared ? 0 : 1);
  return panels * (TITLE + GAP) + stripsHeight + watchedHeight + lanesHeight;
}
