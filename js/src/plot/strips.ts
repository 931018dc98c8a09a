// Gradient strips: one row a series, sign by colour, strength by opacity (relative to the row's strongest).
import { strongest } from "../decimate";
import { formatCount } from "../format";
import { paintNote, paintTitle } from "./backdrop";
import type { Figure, Strip } from "./figure";
import { TITLE } from "./figure";
import { type Ink, SERIES_COLOURS } from "./ink";

type Context = CanvasRenderingContext2D;

/** Widest cell of one iteration (pixels). */
const MAX_CELL = 36;
/** Of gradients that are not of the fit that is told of. */
const QUIET = 0.4;

export function paintStrips(context: Context, figure: Figure, ink: Ink): void {
  if (figure.stripsTitle) paintStripsTitle(context, figure, figure.stripsTitle, ink);
  context.save();
  context.beginPath();
  context.rect(0, 0, figure.right, figure.height);
  context.clip();
  for (const strip of figure.strips) paintStrip(context, figure, strip, ink);
  context.restore();
}

function paintStripsTitle(
  context: Context,
  figure: Figure,
  title: { text: string; y: number },
  ink: Ink,
): void {
  const own = figure.strips.filter(({ colour }) => colour !== null);
  const { text, y } = title;
  const top = y + TITLE;
  let x = paintTitle(context, text, figure.left + 6, top, figure.right - figure.left - 12, ink);
  const narrow = figure.right - x < 160;
  for (const [colour, word] of keys(own, ink)) {
    const label = narrow ? ({ negative: "−", positive: "+" }[word] ?? word) : word;
    if (x + 30 > figure.right) break;
    context.fillStyle = colour;
    context.fillRect(x, top - 15, 9, 9);
    x = paintNote(context, label, x + 13, top, figure.right, ink);
  }
  if (figure.hiddenStrips > 0) {
    const shown = formatCount(own.length);
    const all = formatCount(own.length + figure.hiddenStrips);
    paintNote(context, `${shown} of ${all} shown`, x, top, figure.right, ink);
  }
}

function keys(strips: readonly Strip[], ink: Ink): [colour: string, label: string][] {
  const found: [string, string][] = [];
  if (!strips.every(({ size }) => size)) found.push([ink.negative, "negative"], [ink.positive, "positive"]);
  if (strips.some(({ size }) => size)) found.push([ink.muted, "size"]);
  return found;
}

function paintStrip(context: Context, figure: Figure, strip: Strip, ink: Ink): void {
  const { left, right, iterations, x, window } = figure;
  const { colour, gradient, strength, faded, size, top, bottom } = strip;
  if (colour !== null) {
    context.fillStyle = ink.series[colour % SERIES_COLOURS] ?? ink.text;
    context.globalAlpha = faded ? 0.25 : 1;
    context.fillRect(left - 9, top + 2, 6, bottom - top - 4);
  }

  // Few iterations: a cell each, centred on its iteration. Many: the strongest of each pixel column.
  const cell = Math.min(MAX_CELL, (right - left) / Math.max(1, figure.axis.high - figure.axis.low));
  let base = 1;
  const paint = (value: number, from: number, to: number) => {
    if (Number.isNaN(value) || value === 0) return; // also where all are 0: nothing is divided by 0
    context.fillStyle = size ? ink.muted : value > 0 ? ink.positive : ink.negative;
    context.globalAlpha = base * Math.min(1, 0.06 + 0.94 * Math.sqrt(Math.abs(value) / strength));
    const start = Math.max(from, left);
    if (to > start) context.fillRect(start, top, to - start, bottom - top);
  };
  for (const part of figure.parts) {
    base = (faded ? 0.25 : 1) * (part.kind === "story" ? 1 : QUIET);
    paintRows(Math.max(part.from, window.from), Math.min(part.to, window.to));
  }
  context.globalAlpha = 1;

  function paintRows(first: number, end: number): void {
    // Pixels of the screen, of which one of the page may be one and a half.
    const scale = context.getTransform().a || 1;
    if (cell * scale >= 1) {
      // Wide cells are told apart by a fine edge; narrow ones meet on whole pixels, or seams would show.
      const edge = cell >= 5 ? 0.5 : 0;
      const snap = cell >= 5 ? (at: number) => at : (at: number) => Math.round(at * scale) / scale;
      let from = Number.NEGATIVE_INFINITY;
      for (let row = first; row < Math.min(end, gradient.length); row++) {
        const middle = x(iterations[row] as number);
        const next = x(iterations[row + 1] ?? Number.POSITIVE_INFINITY);
        if (from === Number.NEGATIVE_INFINITY) from = Math.max(left, snap(middle - cell / 2));
        // Neighbours share the border between them: computed twice, rounding would open a gap here and there.
        const to = next - middle < 1.5 * cell ? snap((middle + next) / 2) : snap(middle + cell / 2);
        paint(gradient[row] as number, from, Math.min(right, to) - edge);
        from = next - middle < 1.5 * cell ? to : Number.NEGATIVE_INFINITY;
      }
    } else {
      const start = Math.round(left * scale);
      const columns = Math.ceil((right - left) * scale) + 1;
      const column = (row: number) => Math.round(x(iterations[row] as number) * scale) - start;
      strongest(gradient, column, columns, first, end).forEach((value, i) => {
        paint(value, (start + i) / scale, Math.min(right, (start + i + 1) / scale));
      });
    }
  }
}
