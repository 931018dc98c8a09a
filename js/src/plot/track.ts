// The track's curve, before and while it is painted: the loss of the run, or of each of several, on the exact range of
// its values. What lies around the curve is made of nodes (view/track.ts).
import { partsOf } from "../fits";
import { formatPair } from "../format";
import type { State } from "../state";
import type { Store } from "../store";
import type { Ink } from "./ink";
import { paintPanelLines, type Sheet } from "./lines";
import { courseExtent, type Extent, isWide, type Line, type Panel, parameterRange } from "./panel";
import { type Axis, iterationAxis, pixels, zoomedAxis } from "./scale";

export interface Track {
  sheet: Sheet;
  axis: Axis;
  panel: Panel;
  /** Of the highest and of the lowest value; the same where there is one. */
  labels: { text: string; y: number }[];
  isEmpty: boolean;
}

export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** An axis label needs this much room (pixels). */
const TICK_ROOM = 90;

export function buildTrack(store: Store, state: State, frame: Frame): Track {
  const { history } = store;
  const { left, right, top, bottom } = frame;
  const view = state.view.value;
  const { status, compared } = store.head.value;
  const room = (right - left) / TICK_ROOM;
  const axis = view
    ? zoomedAxis(view[0], view[1], room)
    : iterationAxis(history.firstIteration, history.lastIteration, status === "running", room);
  const window = view
    ? { from: Math.max(0, history.rowAt(view[0])), to: history.rowAt(view[1]) + 2 }
    : { from: 0, to: history.rows };
  const accepted = history.column("accepted").includes(0) ? history.column("accepted") : null;
  const parts = partsOf(store);
  const sheet = {
    left,
    right,
    x: pixels(axis, left, right),
    iterations: history.column("iteration"),
    accepted,
    window,
    parts,
    quiet: true,
  };
  const loss = compared ? null : history.column("loss");
  const lines = compared ? lossesOf(store) : [];
  const range = loss ? courseExtent([loss], sheet, true) : parameterRange(lines, sheet, true);
  const isEmpty = !(range.low <= range.high);
  const log = isWide(range);
  const values: Axis = { ...padded(range), log, ticks: isEmpty ? [] : [{ value: range.low, text: "" }] };
  const y = pixels(values, bottom, top);
  const panel = { title: "", log, top, bottom, axis: values, y, lines, loss, band: null };
  return { sheet, axis, panel, labels: isEmpty ? [] : labelsOf(range, y), isEmpty };
}

/** A constant lies in the middle. */
function padded({ low, high }: Extent): Extent {
  if (!(low <= high)) return { low: 0, high: 1 };
  const reach = low === high ? Math.abs(low) || 1 : 0;
  return { low: low - reach, high: high + reach };
}

function labelsOf({ low, high }: Extent, y: (value: number) => number): Track["labels"] {
  const [least, most] = formatPair(low, high);
  if (low === high) return [{ text: least, y: y(low) }];
  return [
    { text: most, y: y(high) },
    { text: least, y: y(low) },
  ];
}

/** The loss of each run is the first of the quantities that they have in common. */
function lossesOf(store: Store): Line[] {
  const [group] = store.groups.value;
  return store.series.value.flatMap((series, index) =>
    series.group === group?.key
      ? [
          {
            series,
            index: series.colour ?? index,
            values: store.history.column(`p${series.key}`),
            faded: false,
          },
        ]
      : [],
  );
}

export function paintTrack(context: CanvasRenderingContext2D, { sheet, panel }: Track, ink: Ink): void {
  paintPanelLines(context, sheet, panel, ink);
}
