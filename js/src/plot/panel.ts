// One panel of lines with its value axis: the loss, or the parameters of one group.
import type { Series } from "../protocol";
import type { Store } from "../store";
import type { ColumnData } from "../wire";
import { type Axis, pixels, valueAxis } from "./scale";

/** A series with its place in the palette. */
export interface Line {
  series: Series;
  index: number;
  values: ColumnData;
  faded: boolean;
}

export interface Panel {
  title: string;
  log: boolean;
  top: number;
  bottom: number;
  axis: Axis;
  y: (value: number) => number;
  /** Empty for the loss panel. */
  lines: Line[];
  loss: ColumnData | null;
}

interface Place {
  top: number;
  bottom: number;
}

interface Extent {
  low: number;
  high: number;
}

/** A loss whose largest value is this many times its smallest is drawn on a logarithmic axis. */
const LOG_FROM = 50;

export function lossPanel(store: Store, place: Place, accepted: ColumnData | null): Panel {
  const loss = store.history.column("loss");
  // Rejected trials far from the accepted iterates do not squash the line: they lie on the axis' edge.
  const all = extent([loss]);
  const range = accepted ? widen(extent([loss], accepted), [all.low, all.high], 0.5) : all;
  const log = range.low > 0 && range.high / range.low > LOG_FROM;
  const axis = valueAxis(range.low, range.high, log, (place.bottom - place.top) / 30);
  return {
    title: store.head.value.loss_label || "loss",
    log,
    ...place,
    axis,
    y: pixels(axis, place.bottom, place.top),
    lines: [],
    loss,
  };
}

export function parameterPanel(title: string, lines: Line[], place: Place): Panel {
  // Truth and bounds are part of the axis where they do not squash the lines.
  const marks = lines.flatMap(({ series }) => [series.truth, ...(series.bounds ?? [])]);
  const { low, high } = widen(extent(lines.map(({ values }) => values)), marks, 1);
  const axis = valueAxis(low, high, false, (place.bottom - place.top) / 24);
  return { title, log: false, ...place, axis, y: pixels(axis, place.bottom, place.top), lines, loss: null };
}

/** The extent with those values that lie at most `reach` times its length outside. */
function widen(extent: Extent, values: readonly (number | null | undefined)[], reach: number): Extent {
  const room = (extent.high - extent.low) * reach;
  const near = values.filter(
    (value) => typeof value === "number" && value >= extent.low - room && value <= extent.high + room,
  ) as number[];
  return { low: Math.min(extent.low, ...near), high: Math.max(extent.high, ...near) };
}

/** Lowest and highest finite value; low > high where there is none. */
function extent(columns: ColumnData[], mask: ColumnData | null = null): Extent {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of columns) {
    for (let row = 0; row < values.length; row++) {
      const value = values[row] as number;
      if (!Number.isFinite(value) || mask?.[row] === 0) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return { low, high };
}
