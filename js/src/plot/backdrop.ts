// Behind the lines: phase bands with their names on top, grid lines, axis labels and panel titles.
import type { Part } from "../fits";
import { formatCount } from "../format";
import type { Phase } from "../protocol";
import type { Figure } from "./figure";
import type { Ink } from "./ink";
import type { Panel } from "./panel";
import { cross, line } from "./strokes";
import { ellipsize } from "./surface";

type Context = CanvasRenderingContext2D;

/** Height of the lines that say where fits begin and end. */
const FIT_LINE = 18;
/** Of shorter ones (pixels) no border is drawn: there are too many. */
const LEAST_FIT = 6;

export function paintBackdrop(context: Context, figure: Figure, phases: Phase[], ink: Ink): void {
  const { left, right, top, bottom } = figure;
  context.fillStyle = ink.plot;
  context.fillRect(left, top, right - left, bottom - top);
  paintPhases(context, figure, phases, ink);
  const isAlone = figure.parts.filter(({ kind }) => kind !== "look").length === 1;
  if (figure.numbered) for (const part of figure.parts) paintFit(context, figure, part, isAlone, ink);
  for (const panel of figure.panels) paintPanel(context, figure, panel, ink);
  if (figure.hiddenPanels > 0) paintHiddenPanels(context, figure, ink);
}

function paintPhases(context: Context, figure: Figure, phases: Phase[], ink: Ink): void {
  const { left, right, top, bottom, axis, x } = figure;
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  phases.forEach((phase, index) => {
    const from = Math.max(left, x(phase.start));
    const to = Math.min(right, x(Math.min(phase.stop, axis.high)));
    if (to <= from) return;
    if (index % 2 === 1) {
      context.fillStyle = ink.band;
      context.fillRect(from, top, to - from, bottom - top);
    }
    context.font = `11.5px ${ink.font}`;
    const text = ellipsize(context, phase.label, to - from - 2);
    // A stump of a name says less than none.
    if ([...text].length < Math.min(4, phase.label.length)) return;
    context.fillStyle = ink.muted;
    context.fillText(text, (from + to) / 2, top - 7);
  });
}

/** Above the plots: where each fit begins and ends, and its number; the one that is told of stands out. */
function paintFit(context: Context, figure: Figure, part: Part, isAlone: boolean, ink: Ink): void {
  const { left, right, top, bottom, iterations, x } = figure;
  const at = (row: number) => x(iterations[row] as number);
  const [from, to] = [Math.max(left, at(part.from)), Math.min(right, at(part.to - 1))];
  if (to < left || from > right) return;
  const isTold = part.kind === "story";
  if (part.from > 0 && to - from > LEAST_FIT) {
    context.strokeStyle = ink.grid;
    context.lineWidth = 1;
    const border = (at(part.from - 1) + at(part.from)) / 2;
    if (border > left) line(context, border, top, border, bottom);
  }
  if (part.kind !== "look") {
    context.fillStyle = isTold ? ink.accent : ink.muted;
    context.globalAlpha = isTold ? 1 : 0.5;
    context.fillRect(from, FIT_LINE - (isTold ? 1 : 0), Math.max(to - from, 2), isTold ? 2.5 : 1);
    context.globalAlpha = 1;
  }
  context.font = `${isTold ? "600 " : ""}11.5px ${ink.font}`;
  context.textAlign = "center";
  context.fillStyle = isTold ? ink.text : ink.muted;
  const names = isAlone && isTold ? ["the fit"] : namesOf(part);
  const fitting =
    names.find((name) => context.measureText(name).width <= to - from) ?? (isTold && names.at(-1));
  if (fitting) context.fillText(fitting, (from + to) / 2, FIT_LINE - 5);
}

/** What a part is called, the longest name first. */
function namesOf({ kind, fits: [first, last] }: Part): string[] {
  if (kind === "look") return first < 0 ? ["other fits", "…"] : ["of no fit", "–"];
  if (first === 0) return [];
  const numbers = first === last ? String(first) : `${first}–${last}`;
  return [`${first === last ? "fit" : "fits"} ${numbers}`, numbers];
}

function paintPanel(context: Context, figure: Figure, panel: Panel, ink: Ink): void {
  const { left, right } = figure;
  context.font = `12px ${ink.font}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const { value, text } of panel.axis.ticks) {
    const y = Math.round(panel.y(value)) + 0.5;
    context.strokeStyle = ink.grid;
    line(context, left, y, right, y);
    context.fillStyle = ink.muted;
    context.fillText(ellipsize(context, text, left - 10), left - 8, y);
  }
  const room = right - left - 12;
  const x = paintTitle(context, panel.title, left + 6, panel.top, room, ink);
  if (panel.loss) paintLossNotes(context, figure, panel, x, ink);
  else if (panel.log) paintNote(context, "log scale", x, panel.top, right, ink);
  else paintKey(context, figure, panel, x, ink);
}

/** Bold title above a panel; returns where it ends. */
export function paintTitle(
  context: Context,
  title: string,
  x: number,
  top: number,
  room: number,
  ink: Ink,
): number {
  context.font = `600 12.5px ${ink.font}`;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.fillStyle = ink.text;
  const text = ellipsize(context, title, room);
  context.fillText(text, x, top - 6);
  return x + context.measureText(text).width + 10;
}

/** A quiet remark beside a title; returns where it ends, or where it would start if it does not fit. */
export function paintNote(
  context: Context,
  text: string,
  x: number,
  top: number,
  right: number,
  ink: Ink,
): number {
  context.font = `11.5px ${ink.font}`;
  context.fillStyle = ink.muted;
  const width = context.measureText(text).width;
  if (x + width > right - 4) return x;
  context.fillText(text, x, top - 6);
  return x + width + 12;
}

function paintLossNotes(context: Context, figure: Figure, panel: Panel, start: number, ink: Ink): void {
  // The explanation speaks of the loss, whatever the program calls it.
  let x = panel.title.startsWith("loss")
    ? start
    : paintNote(context, "the loss", start, panel.top, figure.right, ink);
  if (panel.log) x = paintNote(context, "log scale", x, panel.top, figure.right, ink);
  if (!figure.accepted || x + 110 > figure.right) return;
  context.strokeStyle = ink.warning;
  context.lineWidth = 1.25;
  cross(context, x + 3, panel.top - 10);
  paintNote(context, "rejected trial steps", x + 11, panel.top, figure.right, ink);
}

/** Says what the dashed and the thin lines are, where there are any. */
function paintKey(context: Context, figure: Figure, panel: Panel, start: number, ink: Ink): void {
  const kinds: [string, boolean, number[]][] = [
    ["truth", panel.lines.some(({ series }) => series.truth !== null), [4, 3]],
    ["bounds", panel.lines.some(({ series }) => series.bounds?.some((bound) => bound !== null)), []],
  ];
  let x = start;
  for (const [text, present, dash] of kinds) {
    if (!present || x + 80 > figure.right) continue;
    context.strokeStyle = ink.muted;
    context.lineWidth = dash.length > 0 ? 1.5 : 0.8;
    context.setLineDash(dash);
    line(context, x, panel.top - 10, x + 18, panel.top - 10);
    context.setLineDash([]);
    x = paintNote(context, text, x + 23, panel.top, figure.right, ink);
  }
}

function paintHiddenPanels(context: Context, figure: Figure, ink: Ink): void {
  const last = figure.panels[figure.panels.length - 1];
  if (!last) return;
  context.textAlign = "right";
  context.font = `11.5px ${ink.font}`;
  context.fillStyle = ink.muted;
  const text = `${formatCount(figure.hiddenPanels)} more groups: choose a name below`;
  context.fillText(text, figure.right - 6, last.top - 6);
}
