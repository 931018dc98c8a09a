// One panel of lines with its value axis: the loss, the parameters of one group, or one watched quantity.

import type { Part } from "../fits";
import { formatPair, formatWithUnit } from "../format";
import type { Series, Watched } from "../protocol";
import type { ColumnData } from "../wire";
import { type Axis, pixels, valueAxis } from "./scale";

/** A series with its place in the palette. */
export interface Line {
  series: Series;
  index: number;
  values: ColumnData;
  faded: boolean;
}

/** One value an iteration, or the least and the largest of several. */
export interface Band {
  watched: Watched;
  low: ColumnData;
  high: ColumnData;
  cotangent: ColumnData;
  /** What the gradient asks of it does. */
  changes: boolean;
}

/** The rows that are seen. */
export interface Window {
  from: number;
  to: number;
}

/** Which of the rows make the lines. */
export interface Course {
  /** 0 where the optimizer turned a trial down; null where it turned down none. */
  accepted: ColumnData | null;
  window: Window;
  parts: readonly Part[];
}

export interface Panel {
  title: string;
  log: boolean;
  top: number;
  bottom: number;
  axis: Axis;
  y: (value: number) => number;
  /** Of these three, a panel has one. */
  lines: Line[];
  loss: ColumnData | null;
  band: Band | null;
}

export interface Place {
  top: number;
  bottom: number;
}

export interface Extent {
  low: number;
  high: number;
}

/** A positive quantity whose largest value is this many times its smallest is drawn on a logarithmic axis. */
const LOG_FROM = 50;

export function lossPanel(title: string, loss: ColumnData, place: Place, course: Course): Panel {
  // Rejected trials far from the accepted iterates do not squash the line: they lie on the axis' edge.
  const all = courseExtent([loss], { ...course, accepted: null }, true);
  const iterates = course.accepted ? courseExtent([loss], course, true) : all;
  const range = iterates.low <= iterates.high ? widen(iterates, [all.low, all.high], 0.5) : all;
  return { ...panel(title, range, isWide(range), place, 30), loss };
}

export function parameterPanel(
  { title, lines, log }: { title: string; lines: Line[]; log: boolean },
  place: Place,
  course: Course,
): Panel {
  const range = parameterRange(lines, course, log);
  return { ...panel(title, range, log && isWide(range), place, 24), lines };
}

/** Truth and bounds are part of the axis where they do not squash the lines. */
export function parameterRange(lines: Line[], course: Course, log = false): Extent {
  const marks = lines.flatMap(({ series }) => [series.truth, ...(series.bounds ?? [])]);
  const columns = lines.map(({ values }) => values);
  return widen(courseExtent(columns, course, log), marks, 1);
}

export function watchedPanel(band: Band, place: Place, course: Course): Panel {
  const { name, unit } = band.watched;
  const range = courseExtent([band.low, band.high], course, true);
  return { ...panel(withUnit(name, unit), range, isWide(range), place, 26), band };
}

export function withUnit(name: string, unit: string): string {
  return unit ? `${name} [${unit}]` : name;
}

/** ∂cost/∂north; a name of several words in parentheses, or it would be unclear how far the ∂ goes. */
export function derivative(of: string, by: string): string {
  const whole = (name: string) => (name.includes(" ") ? `(${name})` : name);
  return `∂${whole(of || "loss")}/∂${whole(by)}`;
}

/** The value of a watched quantity in a row, and in words what would lower the loss. */
export function readBand({ watched, low, high, cotangent }: Band, row: number): string {
  // While a run goes on, the figure may be older than the row at the cursor.
  const [least = Number.NaN, largest = Number.NaN, asks = 0] = [low[row], high[row], cotangent[row]];
  if (Number.isNaN(least)) return "";
  const isRange = Number.isFinite(largest) && largest !== least;
  const value = isRange
    ? formatPair(least, largest, watched.unit).join(" to ")
    : formatWithUnit(least, watched.unit);
  if (!Number.isFinite(asks) || asks === 0) return value;
  return `${value} · asks for ${asks > 0 ? "less ▼" : "more ▲"}`;
}

function panel(title: string, range: Extent, log: boolean, place: Place, spacing: number): Panel {
  const axis = valueAxis(range.low, range.high, log, (place.bottom - place.top) / spacing);
  const y = pixels(axis, place.bottom, place.top);
  return { title, log, ...place, axis, y, lines: [], loss: null, band: null };
}

export function isWide({ low, high }: Extent): boolean {
  return low > 0 && high / low > LOG_FROM;
}

/** The extent with those values that lie at most `reach` times its length outside. */
function widen(extent: Extent, values: readonly (number | null | undefined)[], reach: number): Extent {
  const room = (extent.high - extent.low) * reach;
  const near = values.filter(
    (value) => typeof value === "number" && value >= extent.low - room && value <= extent.high + room,
  ) as number[];
  return { low: Math.min(extent.low, ...near), high: Math.max(extent.high, ...near) };
}

/** What the axis shows of several fits: all of the one that is told of and where the others came to; of these no more
 *  than leaves half of the height for that, and nothing of points that are of no fit. */
export function courseExtent(
  columns: ColumnData[],
  { accepted, window, parts }: Course,
  log: boolean,
): Extent {
  if (parts.length === 1) return extent(columns, accepted, window);
  const seen = (kind: Part["kind"]) =>
    parts
      .filter((part) => part.kind === kind)
      .map(({ from, to, best }) => ({
        from: Math.max(from, window.from),
        to: Math.min(to, window.to),
        best,
      }));
  const of = (rows: Window[]) => rows.map((each) => extent(columns, accepted, each)).reduce(union, NOTHING);
  const others = seen("fit");
  const ends = others.map(({ from, to, best }) => ({
    from: Math.max(from, best),
    to: Math.min(to, best + 1),
  }));
  const needed = union(of(seen("story")), of(ends));
  const all = union(needed, of(others));
  if (!(all.low <= all.high)) return extent(columns, accepted, window);
  if (!(needed.low < needed.high)) return all;
  if (log && isWide(needed)) {
    const ratio = needed.high / needed.low;
    return { low: Math.max(all.low, needed.low / ratio), high: Math.min(all.high, needed.high * ratio) };
  }
  const room = needed.high - needed.low;
  return { low: Math.max(all.low, needed.low - room), high: Math.min(all.high, needed.high + room) };
}

const NOTHING: Extent = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };

function union(one: Extent, other: Extent): Extent {
  return { low: Math.min(one.low, other.low), high: Math.max(one.high, other.high) };
}

/** Lowest and highest finite value of accepted rows in the window; low > high where there is none. */
export function extent(columns: ColumnData[], mask: ColumnData | null, { from, to }: Window): Extent {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of columns) {
    const end = Math.min(to, values.length);
    for (let row = from; row < end; row++) {
      const value = values[row] as number;
      if (!Number.isFinite(value) || mask?.[row] === 0) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return { low, high };
}
