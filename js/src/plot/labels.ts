// Names at the ends of the lines, so that nobody has to look them up in a legend.
import { type Ink, SERIES_COLOURS } from "./ink";
import type { Course, Line, Panel } from "./panel";
import { ellipsize } from "./surface";

export interface EndLabel {
  name: string;
  text: string;
  /** Place in the palette. */
  index: number;
  faded: boolean;
  /** Height of the line's end, and of the label, which makes way for its neighbours. */
  end: number;
  middle: number;
  left: number;
  right: number;
}

/** In narrow figures the room goes to the lines. */
const LEAST_FIGURE = 500;
const WIDEST = 128;
/** Pixels of an average letter; names that are longer end with an ellipsis. */
const LETTER = 6.6;
const SWATCH = 12;
export const LABEL_HEIGHT = 14;

/** The room at the right that the labels take; it depends on names only, so that nothing moves later. */
export function labelWidth(
  groups: readonly { title: string; lines: readonly Line[] }[],
  width: number,
): number {
  if (width < LEAST_FIGURE) return 0;
  const names = groups.flatMap(({ lines }) => (needsLabels(lines) ? lines.map(textOf) : []));
  if (names.length === 0) return 0;
  const longest = Math.max(...names.map((text) => [...text].length));
  return Math.min(WIDEST, Math.ceil(longest * LETTER) + SWATCH + 10);
}

export function placeLabels(
  panels: readonly Panel[],
  { window, parts }: Course,
  left: number,
  right: number,
): EndLabel[] {
  // Of several fits, where the one that is told of ends.
  const story = parts.find(({ kind }) => kind === "story") ?? window;
  const [from, to] = [Math.max(story.from, window.from), Math.min(story.to, window.to)];
  return panels.flatMap((panel) => {
    if (!needsLabels(panel.lines)) return [];
    const labels: EndLabel[] = [];
    for (const line of panel.lines) {
      const end = panel.y(lastFinite(line, from, to));
      if (!Number.isFinite(end)) continue;
      labels.push({
        name: line.series.name,
        text: textOf(line),
        index: line.index,
        faded: line.faded,
        end: Math.min(Math.max(end, panel.top), panel.bottom),
        middle: end,
        left,
        right,
      });
    }
    // Where not all fit, isolated ones do.
    const most = Math.max(1, Math.floor((panel.bottom - panel.top + LABEL_HEIGHT) / LABEL_HEIGHT));
    const fitting = labels.sort((a, b) => Number(a.faded) - Number(b.faded)).slice(0, most);
    spread(fitting, panel.top, panel.bottom);
    return fitting;
  });
}

export function paintLabels(context: CanvasRenderingContext2D, labels: readonly EndLabel[], ink: Ink): void {
  context.font = `12px ${ink.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const { text, index, faded, end, middle, left, right } of labels) {
    context.globalAlpha = faded ? 0.45 : 1;
    context.strokeStyle = ink.series[index % SERIES_COLOURS] ?? ink.text;
    context.lineWidth = 1.75;
    context.beginPath();
    context.moveTo(left + 1, end);
    context.lineTo(left + SWATCH - 4, middle);
    context.stroke();
    context.fillStyle = ink.text;
    context.fillText(ellipsize(context, text, right - left - SWATCH - 2), left + SWATCH, middle);
  }
  context.globalAlpha = 1;
}

export function labelAt(labels: readonly EndLabel[], x: number, y: number): EndLabel | null {
  const isHit = ({ left, right, middle }: EndLabel) =>
    x >= left && x <= right && Math.abs(y - middle) <= LABEL_HEIGHT / 2;
  return labels.find(isHit) ?? null;
}

/** One line that is the whole panel is named by the panel's title. */
function needsLabels(lines: readonly Line[]): boolean {
  return lines.length > 1 || lines.some((line) => textOf(line) !== line.series.group);
}

function textOf({ series }: Line): string {
  return series.label || series.name;
}

function lastFinite({ values }: Line, from: number, to: number): number {
  for (let row = Math.min(to, values.length) - 1; row >= from; row--) {
    const value = values[row] as number;
    if (Number.isFinite(value)) return value;
  }
  return Number.NaN;
}

/** Moves labels apart, each as little as its neighbours allow, between top and bottom. */
export function spread(labels: { middle: number }[], top: number, bottom: number): void {
  labels.sort((a, b) => a.middle - b.middle);
  let floor = top;
  for (const label of labels) {
    label.middle = Math.max(label.middle, floor);
    floor = label.middle + LABEL_HEIGHT;
  }
  let ceiling = bottom;
  for (const label of [...labels].reverse()) {
    label.middle = Math.min(label.middle, ceiling);
    ceiling = label.middle - LABEL_HEIGHT;
  }
}
