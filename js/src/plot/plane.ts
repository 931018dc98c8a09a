// The path of the iterates in the plane of two parameters, each step in the colour of the loss it arrived at.
// Only what was recorded: nothing between two iterates is computed.
import { type Part, partsOf } from "../fits";
import { formatNumber } from "../format";
import type { Store } from "../store";
import type { ColumnData } from "../wire";
import { type Ink, SERIES_COLOURS } from "./ink";
import { extent, isWide, type Line, parameterRange, withUnit } from "./panel";
import { type Axis, pixels, valueAxis } from "./scale";
import { line } from "./strokes";
import { ellipsize } from "./surface";

type Context = CanvasRenderingContext2D;

const LEFT = 62;
const RIGHT = 16;
const TOP = 52;
const BOTTOM = 34;
/** A step shorter than this (pixels) is drawn with the next one. */
const LEAST_STEP = 0.7;
const LEGEND = 60;
/** Of fits that are not told of, and of points that are of no fit. */
const QUIET = 0.45;
const FAINT = 0.35;

export interface Plane {
  width: number;
  height: number;
  lines: readonly [Line, Line];
  axes: readonly [Axis, Axis];
  x: (value: number) => number;
  y: (value: number) => number;
  /** Rows that the optimizer accepted and of which both numbers are known. */
  rows: number[];
  parts: readonly Part[];
  loss: ColumnData;
}

export function buildPlane(store: Store, keys: readonly number[], size: DOMRect): Plane | null {
  const { history } = store;
  const lines = keys.map((key) => {
    const index = store.series.value.findIndex((series) => series.key === key);
    const series = store.series.value[index];
    return series && { series, index, values: history.column(`p${key}`), faded: false };
  });
  const [first, second] = lines;
  if (!first || !second) return null;
  const accepted = history.column("accepted");
  const window = { from: 0, to: history.rows };
  const parts = partsOf(store);
  const course = { accepted: accepted.length > 0 ? accepted : null, window, parts };
  const { width, height } = size;
  const axis = (of: Line, room: number) => {
    const { low, high } = parameterRange([of], course);
    return valueAxis(low, high, false, room);
  };
  const axes = [
    axis(first, (width - LEFT - RIGHT) / 70),
    axis(second, (height - TOP - BOTTOM) / 30),
  ] as const;
  const rows = [];
  for (let row = 0; row < history.rows; row++) {
    if (accepted[row] !== 0 && Number.isFinite(first.values[row]) && Number.isFinite(second.values[row]))
      rows.push(row);
  }
  return {
    width,
    height,
    lines: [first, second],
    axes,
    x: pixels(axes[0], LEFT, width - RIGHT),
    y: pixels(axes[1], height - BOTTOM, TOP),
    rows,
    parts,
    loss: history.column("loss"),
  };
}

/** Where a row lies. */
export function placeOf({ lines, x, y }: Plane, row: number): [number, number] {
  return [x(lines[0].values[row] as number), y(lines[1].values[row] as number)];
}

/** The row whose place is nearest to a point; −1 where there is none. */
export function rowAt(plane: Plane, x: number, y: number): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (const row of plane.rows) {
    const [px, py] = placeOf(plane, row);
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) [best, least] = [row, distance];
  }
  return best;
}

export function paintPlane(context: Context, plane: Plane, lossName: string, end: string, ink: Ink): void {
  paintGround(context, plane, ink);
  const story = plane.parts.find(({ kind }) => kind === "story") ?? { from: 0, to: plane.loss.length };
  const rows = rowsOf(plane, story);
  paintOthers(context, plane, ink);
  const { low, high } = extent([plane.loss], null, story);
  const scale = isWide({ low, high }) ? Math.log : (value: number) => value;
  const colour = (loss: number) => {
    const share = (scale(high) - scale(loss)) / (scale(high) - scale(low) || 1);
    const [from, to] = share < 0.5 ? ink.path : ink.path.slice(1);
    return `color-mix(in oklab, ${to} ${Math.round(100 * ((2 * share) % 1 || Number(share > 0)))}%, ${from})`;
  };
  context.lineWidth = 2;
  context.lineCap = "round";
  let [fromX, fromY] = placeOf(plane, rows[0] ?? 0);
  for (const [index, row] of rows.entries()) {
    const [x, y] = placeOf(plane, row);
    if (Math.hypot(x - fromX, y - fromY) < LEAST_STEP && index < rows.length - 1) continue;
    const loss = plane.loss[row] as number;
    context.strokeStyle = context.fillStyle = Number.isFinite(loss) ? colour(loss) : ink.muted;
    line(context, fromX, fromY, x, y);
    // Long steps show where the iterates are.
    if (Math.hypot(x - fromX, y - fromY) > 6) disc(context, x, y, 2.25);
    [fromX, fromY] = [x, y];
  }
  paintEnds(context, plane, rows, end, ink);
  if (!(low <= high)) return;
  context.font = `11.5px ${ink.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const right = plane.width - RIGHT;
  context.fillStyle = ink.muted;
  const least = formatNumber(low);
  context.fillText(least, right, TOP - 10);
  const bar = right - context.measureText(least).width - 6 - LEGEND;
  const gradient = context.createLinearGradient(bar, 0, bar + LEGEND, 0);
  for (const [index, stop] of ink.path.entries()) gradient.addColorStop(index / 2, stop);
  context.fillText(ellipsize(context, `${lossName} ${formatNumber(high)}`, bar - LEFT), bar - 6, TOP - 10);
  context.fillStyle = gradient;
  context.fillRect(bar, TOP - 13, LEGEND, 6);
}

function rowsOf({ rows }: Plane, { from, to }: { from: number; to: number }): number[] {
  return rows.filter((row) => row >= from && row < to);
}

/** The ways of the other fits, without their losses; points that no optimizer stepped through, as dots. */
function paintOthers(context: Context, plane: Plane, ink: Ink): void {
  context.save();
  context.beginPath();
  context.rect(LEFT, TOP, plane.width - RIGHT - LEFT, plane.height - BOTTOM - TOP);
  context.clip();
  context.strokeStyle = context.fillStyle = ink.muted;
  context.lineWidth = 1.1;
  for (const part of plane.parts) {
    const places = rowsOf(plane, part).map((row) => placeOf(plane, row));
    if (part.kind === "fit") {
      context.globalAlpha = QUIET;
      context.beginPath();
      for (const [x, y] of places) context.lineTo(x, y);
      context.stroke();
      const end = places.at(-1);
      if (end) disc(context, end[0], end[1], 2.5);
    } else if (part.kind === "look") {
      context.globalAlpha = FAINT;
      for (const [x, y] of places) disc(context, x, y, 1.5);
    }
  }
  context.restore();
}

function paintGround(context: Context, { width, height, lines, axes, x, y }: Plane, ink: Ink): void {
  const [right, bottom] = [width - RIGHT, height - BOTTOM];
  context.fillStyle = ink.plot;
  context.fillRect(LEFT, TOP, right - LEFT, bottom - TOP);
  context.font = `12px ${ink.font}`;
  context.lineWidth = 1;
  context.strokeStyle = ink.grid;
  context.fillStyle = ink.muted;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const { value, text } of axes[1].ticks) {
    line(context, LEFT, y(value), right, y(value));
    context.fillText(ellipsize(context, text, LEFT - 8), LEFT - 6, y(value));
  }
  context.textAlign = "center";
  for (const { value, text } of axes[0].ticks) {
    line(context, x(value), TOP, x(value), bottom);
    context.fillText(text, x(value), bottom + 10);
  }
  // The truth dashed and bounds thin, as in the plots.
  for (const [place, { series, index }] of lines.entries()) {
    const { low, high } = axes[place] as Axis;
    context.strokeStyle = ink.series[index % SERIES_COLOURS] ?? ink.text;
    for (const value of [series.truth, ...(series.bounds ?? [])]) {
      if (value === null || value < low || value > high) continue;
      const isTruth = value === series.truth;
      context.setLineDash(isTruth ? [4, 4] : []);
      context.lineWidth = isTruth ? 1.25 : 0.75;
      if (place === 0) line(context, x(value), TOP, x(value), bottom);
      else line(context, LEFT, y(value), right, y(value));
    }
    context.setLineDash([]);
  }
  const [across, up] = lines.map(({ series }) => withUnit(series.label || series.name, series.unit));
  context.fillStyle = ink.text;
  context.font = `600 12px ${ink.font}`;
  context.textAlign = "right";
  context.fillText(ellipsize(context, across ?? "", right - LEFT), right, bottom + 25);
  context.textAlign = "left";
  context.fillText(ellipsize(context, up ?? "", (right - LEFT) / 2), LEFT - 50, TOP - 10);
}

/** A ring where it began, a square where it stands; their names on the sides that are turned away. */
function paintEnds(context: Context, plane: Plane, rows: number[], end: string, ink: Ink): void {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return;
  context.strokeStyle = context.fillStyle = ink.text;
  context.lineWidth = 1.75;
  const [x, y] = placeOf(plane, first);
  const [endX, endY] = placeOf(plane, last);
  context.beginPath();
  context.arc(x, y, 5, 0, 2 * Math.PI);
  context.stroke();
  context.font = `11.5px ${ink.font}`;
  context.textAlign = "center";
  const name = (text: string, at: number, height: number, below: boolean) => {
    // Not over the numbers of the axis, nor over its title.
    const fits = below ? height + 21 <= plane.height - BOTTOM : height - 21 < TOP;
    const place = Math.min(Math.max(at, LEFT + 14), plane.width - RIGHT - 14);
    context.fillText(text, place, height + (fits ? 15 : -15));
  };
  name("start", x, y, y >= endY);
  if (first === last) return;
  context.fillRect(endX - 4, endY - 4, 8, 8);
  name(end, endX, endY, y < endY);
}

export function disc(context: Context, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
