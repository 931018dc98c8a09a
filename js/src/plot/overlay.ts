// The layer that follows the reader: lit and selected spans, the cursor through everything, its values as
// dots, and the iteration labels, which give way to the cursor's pill. Cheap: repainted at every move.
import { formatCount } from "../format";
import type { Span } from "../protocol";
import { line } from "./backdrop";
import type { Figure } from "./figure";
import { AXIS } from "./figure";
import { type Ink, SERIES_COLOURS } from "./ink";

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
function paintCursor(context: Context, figure: Figure, row: number, ink: Ink): { from: number; to: number } {
  const iteration = figure.iterations[row] as number;
  const x = figure.x(iteration);
  context.strokeStyle = ink.accent;
  context.lineWidth = 1.5;
  line(context, x, figure.top, x, figure.bottom + 6);
  for (const panel of figure.panels) {
    if (panel.loss) paintDot(context, x, panel.y(panel.loss[row] as number), ink.text, ink);
    const lines = panel.lines.filter(({ faded }) => !faded);
    if (lines.length > MAX_DOTS) continue;
    for (const { values, index } of lines) {
      paintDot(
        context,
        x,
        panel.y(values[row] as number),
        ink.series[index % SERIES_COLOURS] ?? ink.text,
        ink,
      );
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
