// The loss and the parameters as lines; rejected trials as faint dots; truth dashed, bounds thin.
import { BREAK, decimate, decimateBand } from "../decimate";
import type { Part } from "../fits";
import type { ColumnData } from "../wire";
import type { Figure } from "./figure";
import { type Ink, SERIES_COLOURS, seriesDash } from "./ink";
import type { Band, Line, Panel } from "./panel";
import { cross, dot, line } from "./strokes";

type Context = CanvasRenderingContext2D;
/** What lines are drawn on: a figure's panels, or the track. */
export type Sheet = Pick<Figure, "left" | "right" | "x" | "iterations" | "accepted" | "window" | "parts"> & {
  /** Without the trials that were turned down. */
  quiet?: boolean;
};

const FADED = 0.14;
/** Of fits that are not told of: the opacity of their lines, and the share of the width. */
const QUIET = 0.5;
const THIN = 0.6;
/** Of points that are of no fit. */
const FAINT = 0.3;
/** More rejected trials than this on one pixel column are not told apart. */
const DOT_SPACING = 2;
/** Rejected trials with this much room each are crosses. */
const CROSS_SPACING = 7;

export function paintPanelLines(context: Context, figure: Sheet, panel: Panel, ink: Ink): void {
  context.save();
  context.beginPath();
  context.rect(figure.left - 2, panel.top - 3, figure.right - figure.left + 4, panel.bottom - panel.top + 6);
  context.clip();
  context.lineJoin = "round";
  context.lineCap = "round";
  if (!panel.band && panel.axis.ticks.length === 0) paintNoValues(context, figure, panel, ink);
  if (panel.loss) {
    if (!figure.quiet) paintRejected(context, figure, panel, panel.loss, ink);
    paintPath(context, figure, panel, panel.loss, ink.text, 2, []);
  }
  if (panel.band) paintBand(context, figure, panel, panel.band, ink);
  // Faded lines first: isolated ones lie on top.
  for (const each of panel.lines) if (each.faded) paintLine(context, figure, panel, each, ink);
  for (const each of panel.lines) if (!each.faded) paintLine(context, figure, panel, each, ink);
  context.restore();
}

function paintNoValues(context: Context, figure: Sheet, panel: Panel, ink: Ink): void {
  context.font = `12.5px ${ink.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = ink.muted;
  const text = "no finite value was recorded";
  context.fillText(text, (figure.left + figure.right) / 2, (panel.top + panel.bottom) / 2);
}

function paintLine(context: Context, figure: Sheet, panel: Panel, each: Line, ink: Ink): void {
  const { series, index, values, faded } = each;
  const colour = ink.series[index % SERIES_COLOURS] ?? ink.text;
  const opacity = faded ? FADED : 1;
  context.strokeStyle = colour;
  if (series.truth !== null) {
    context.globalAlpha = 0.75 * opacity;
    context.lineWidth = 1.25;
    context.setLineDash([4, 4]);
    level(context, figure, panel, series.truth);
    context.setLineDash([]);
  }
  for (const bound of series.bounds ?? []) {
    if (bound === null) continue;
    context.globalAlpha = 0.6 * opacity;
    context.lineWidth = 0.75;
    level(context, figure, panel, bound);
  }
  context.globalAlpha = opacity;
  paintPath(context, figure, panel, values, colour, 1.75, seriesDash(index));
  context.globalAlpha = 1;
}

function level(context: Context, figure: Sheet, panel: Panel, value: number): void {
  if (value < panel.axis.low || value > panel.axis.high) return;
  line(context, figure.left, panel.y(value), figure.right, panel.y(value));
}

function paintPath(
  context: Context,
  figure: Sheet,
  panel: Panel,
  values: ColumnData,
  colour: string,
  width: number,
  dash: readonly number[],
): void {
  const opacity = context.globalAlpha;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  // The curve of each fit is its own.
  for (const part of figure.parts) {
    context.globalAlpha = opacity * { story: 1, fit: QUIET, look: FAINT }[part.kind];
    if (part.kind === "look") paintPoints(context, figure, panel, values, part);
    else paintCurve(context, figure, panel, values, part, part.kind === "fit" ? width * THIN : width, dash);
  }
  context.globalAlpha = opacity;
}

/** Points that no optimizer stepped through: those within the scale, as dots. */
function paintPoints(
  context: Context,
  { x, iterations, window }: Sheet,
  { axis, y }: Panel,
  values: ColumnData,
  { from, to }: Part,
): void {
  for (let row = Math.max(from, window.from); row < Math.min(to, window.to); row++) {
    const value = values[row] as number;
    if (value >= axis.low && value <= axis.high) dot(context, x(iterations[row] as number), y(value), 1.5);
  }
}

function paintCurve(
  context: Context,
  figure: Sheet,
  panel: Panel,
  values: ColumnData,
  { from, to }: Part,
  width: number,
  dash: readonly number[],
): void {
  const { x, iterations, accepted, window } = figure;
  const column = (row: number) => Math.floor(x(iterations[row] as number));
  const rows = decimate(values, column, accepted, Math.max(from, window.from), Math.min(to, window.to));
  context.lineWidth = width;
  context.setLineDash([...dash]);
  context.beginPath();
  rows.forEach((row, index) => {
    if (row === BREAK) return;
    const px = x(iterations[row] as number);
    const py = panel.y(values[row] as number);
    const starts = index === 0 || rows[index - 1] === BREAK;
    const ends = index === rows.length - 1 || rows[index + 1] === BREAK;
    if (!starts) context.lineTo(px, py);
    else context.moveTo(px, py);
    // A value between two gaps is no line: it is a dot.
    if (starts && ends) dot(context, px, py, width);
  });
  context.stroke();
  context.setLineDash([]);
}

function paintBand(context: Context, figure: Sheet, panel: Panel, band: Band, ink: Ink): void {
  if (panel.axis.ticks.length === 0) return;
  if (!band.watched.several) {
    paintPath(context, figure, panel, band.low, ink.watched, 1.75, []);
    return;
  }
  for (const part of figure.parts) {
    if (part.kind !== "look") paintBandOf(context, figure, panel, band, part, ink);
  }
}

function paintBandOf(context: Context, figure: Sheet, panel: Panel, band: Band, part: Part, ink: Ink): void {
  const { x, iterations, accepted, window } = figure;
  const column = (row: number) => Math.floor(x(iterations[row] as number));
  const [from, to] = [Math.max(part.from, window.from), Math.min(part.to, window.to)];
  const opacity = part.kind === "fit" ? QUIET : 1;
  context.fillStyle = context.strokeStyle = ink.watched;
  context.lineWidth = 1.25;
  for (const { rows, low, high } of decimateBand(band.low, band.high, column, accepted, from, to)) {
    const at = rows.map((row) => x(iterations[row] as number));
    const trace = (values: number[]) => {
      values.forEach((value, index) => {
        if (index === 0) context.moveTo(at[0] as number, panel.y(value));
        else context.lineTo(at[index] as number, panel.y(value));
      });
    };
    context.beginPath();
    trace(low);
    for (let index = high.length - 1; index >= 0; index--) {
      context.lineTo(at[index] as number, panel.y(high[index] as number));
    }
    context.closePath();
    context.globalAlpha = 0.28 * opacity;
    context.fill();
    context.globalAlpha = opacity;
    context.beginPath();
    trace(low);
    trace(high);
    context.stroke();
    if (rows.length === 1)
      line(context, at[0] as number, panel.y(low[0] as number), at[0] as number, panel.y(high[0] as number));
  }
  context.globalAlpha = 1;
}

/** Trials that the optimizer turned down, and its finite differences: crosses where there is room, else dots. */
function paintRejected(context: Context, figure: Sheet, panel: Panel, loss: ColumnData, ink: Ink): void {
  const { accepted, iterations, x, window, parts } = figure;
  if (!accepted) return;
  context.fillStyle = context.strokeStyle = ink.warning;
  context.lineWidth = 1.25;
  let former = Number.NEGATIVE_INFINITY;
  let part = 0;
  for (let row = window.from; row < Math.min(window.to, accepted.length); row++) {
    while (row >= (parts[part]?.to ?? row + 1)) part++;
    context.globalAlpha = parts[part]?.kind === "story" ? 1 : QUIET;
    const value = loss[row] as number;
    const px = x(iterations[row] as number);
    if (accepted[row] !== 0 || Number.isNaN(value) || px - former < DOT_SPACING) continue;
    // Trials beyond the axis lie on its edge rather than nowhere.
    const py = panel.y(Math.min(Math.max(value, panel.axis.low), panel.axis.high));
    if (px - former >= CROSS_SPACING) cross(context, px, py);
    else dot(context, px, py, 1.75);
    former = px;
  }
  context.globalAlpha = 1;
}
