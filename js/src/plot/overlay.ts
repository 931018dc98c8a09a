// The layer that follows the reader: lit and selected spans, the cursor through everything, its values as
// dots, and the iteration labels, which give way to the cursor's pill. Cheap: repainted at every move.
import { formatCount } from "../format";
import type { Span } from "../protocol";
import type { Figure } from "./figure";
import { AXIS } from "./figure";
import { type Ink, SERIES_COLOURS } from "./ink";
import { type Band, type Panel, readBand } from "./panel";
import { line } from "./strokes";

type Context = CanvasRenderingContext2D;

/** A panel with more lines than this gets no dots: they would cover each other and the lines. */
const MAX_DOTS = 16;

export interface Marks {
  /** −1: no cursor. */
  row: number;
  selected: Span | null;
  lit: Span | null;
}

export function paintOverlay(context: Context, figure: Figure, marks: Marks, ink: Ink): void {
  paintSpan(context, figure, marks.lit, ink, 0.11, false);
  paintSpan(context, figure, marks.selected, ink, 0.11, true);
  const pill = marks.row < 0 ? null : paintCursor(context, figure, marks.row, ink);
  paintIterations(context, figure, pill, ink);
}

function paintSpan(
  context: Context,
  figure: Figure,
  span: Span | null,
  ink: Ink,
  opacity: number,
  edges: boolean,
): void {
  if (!span) return;
  const { left, right, top, bottom, x } = figure;
  if (x(span[1]) < left || x(span[0]) > right) return;
  const from = Math.min(Math.max(x(span[0]), left), right);
  const to = Math.max(Math.min(x(span[1]), right), left);
  const width = Math.max(to - from, 2);
  context.globalAlpha = opacity;
  context.fillStyle = ink.accent;
  context.fillRect(from, top, width, bottom - top);
  context.globalAlpha = 1;
  if (!edges) return;
  context.strokeStyle = ink.accent;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  line(context, from, top, from, bottom);
  line(context, from + width, top, from + width, bottom);
  context.setLineDash([]);
}

/** Returns the place of the pill on the iteration axis. */
function paintCursor(
  context: Context,
  figure: Figure,
  row: number,
  ink: Ink,
): { from: number; to: number } | null {
  const iteration = figure.iterations[row] as number;
  const x = figure.x(iteration);
  if (x < figure.left - 1 || x > figure.right + 1) return null;
  context.strokeStyle = ink.accent;
  context.lineWidth = 1.5;
  line(context, x, figure.top, x, figure.bottom + 6);
  for (const panel of figure.panels) {
    if (panel.loss) paintLossDot(context, figure, panel, panel.loss[row] as number, row, ink);
    if (panel.band) paintReading(context, figure, panel, panel.band, row, ink);
    const lines = panel.lines.filter(({ faded }) => !faded);
    if (lines.length > MAX_DOTS) continue;
    for (const { values, index } of lines) {
      const y = heightIn(panel, values[row] as number);
      paintDot(context, x, y, ink.series[index % SERIES_COLOURS] ?? ink.text, ink);
    }
  }
  const text = formatCount(iteration);
  context.font = `600 12px ${ink.font}`;
  const width = Math.max(context.measureText(text).width + 16, 28);
  const middle = Math.min(Math.max(x, width / 2), figure.width - width / 2 - 1);
  context.fillStyle = ink.accent;
  context.beginPath();
  context.roundRect(middle - width / 2, figure.bottom + 6, width, 19, 9.5);
  context.fill();
  context.fillStyle = ink.onAccent;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, middle, figure.bottom + AXIS / 2 + 1);
  return { from: middle - width / 2, to: middle + width / 2 };
}

/** Not a number where it is beyond the axis, as a point of no fit may be. */
function heightIn({ top, bottom, y }: Panel, value: number): number {
  const height = y(value);
  return height >= top - 4 && height <= bottom + 4 ? height : Number.NaN;
}

/** A trial that was turned down is a ring: the line does not pass through it. */
function paintLossDot(
  context: Context,
  figure: Figure,
  panel: Panel,
  value: number,
  row: number,
  ink: Ink,
): void {
  const { axis, y } = panel;
  const x = figure.x(figure.iterations[row] as number);
  if (figure.accepted?.[row] !== 0) {
    paintDot(context, x, heightIn(panel, value), ink.text, ink);
    return;
  }
  const inside = y(Math.min(Math.max(value, axis.low), axis.high));
  if (!Number.isFinite(inside)) return;
  context.beginPath();
  context.arc(x, inside, 5, 0, 2 * Math.PI);
  context.lineWidth = 1.75;
  context.strokeStyle = ink.warning;
  context.stroke();
}

/** The dots of a watched quantity, and its value in words beside its title. */
function paintReading(
  context: Context,
  figure: Figure,
  panel: Panel,
  band: Band,
  row: number,
  ink: Ink,
): void {
  const x = figure.x(figure.iterations[row] as number);
  paintDot(context, x, heightIn(panel, band.low[row] as number), ink.watched, ink);
  if (band.watched.several) paintDot(context, x, heightIn(panel, band.high[row] as number), ink.watched, ink);
  context.font = `600 12.5px ${ink.font}`;
  const taken = context.measureText(panel.title).width + 18 + (panel.log ? 62 : 0);
  const room = figure.right - figure.left - taken - 8;
  context.font = `12px ${ink.font}`;
  context.textAlign = "right";
  context.textBaseline = "alphabetic";
  context.fillStyle = ink.text;
  const text = readBand(band, row);
  const shorter = text.split(" · ")[0] ?? "";
  const fitting = [text, shorter].find((each) => context.measureText(each).width <= room);
  if (fitting) context.fillText(fitting, figure.right - 4, panel.top - 6);
}

function paintDot(context: Context, x: number, y: number, colour: string, ink: Ink): void {
  if (!Number.isFinite(y)) return;
  context.beginPath();
  context.arc(x, y, 3.75, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = ink.surface;
  context.stroke();
}

function paintIterations(
  context: Context,
  figure: Figure,
  pill: { from: number; to: number } | null,
  ink: Ink,
): void {
  context.font = `12px ${ink.font}`;
  context.fillStyle = ink.muted;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { value, text } of figure.axis.ticks) {
    const x = figure.x(value);
    const half = context.measureText(text).width / 2;
    if (pill && x + half > pill.from - 4 && x - half < pill.to + 4) continue;
    context.fillText(text, Math.min(x, figure.width - half - 1), figure.bottom + AXIS / 2 + 1);
  }
}
