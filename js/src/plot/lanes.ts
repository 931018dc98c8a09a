// Event lanes: forward ▲, backward ▼, optimizer ◆, each where it happened.
import type { EventPhase, RunEvent } from "../protocol";
import type { Figure } from "./figure";
import type { Ink } from "./ink";
import { line } from "./strokes";

type Context = CanvasRenderingContext2D;

/** Marks closer than this (pixels) are drawn as ticks, so that crowds stay legible. */
const CROWDED = 5;
const RADIUS = 4.5;
/** How near (pixels) the pointer must be to mean a mark. */
const REACH = 7;

export function paintLanes(context: Context, figure: Figure, events: RunEvent[], ink: Ink): void {
  context.font = `12px ${ink.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.lineWidth = 1;
  for (const { phase, middle } of figure.lanes) {
    context.fillStyle = ink.muted;
    context.fillText(phase, figure.left - 8, middle);
    context.strokeStyle = ink.grid;
    line(context, figure.left, Math.round(middle) + 0.5, figure.right, Math.round(middle) + 0.5);
  }
  const former: Record<EventPhase, number> = {
    forward: Number.NEGATIVE_INFINITY,
    backward: Number.NEGATIVE_INFINITY,
    optimizer: Number.NEGATIVE_INFINITY,
  };
  for (const { phase, evaluation, lane } of events) {
    const place = figure.lanes.find((candidate) => candidate.phase === phase);
    if (lane === false || !place) continue;
    const x = figure.x(evaluation);
    if (x < figure.left - 1 || x > figure.right + 1) continue;
    const distance = x - former[phase];
    if (Math.abs(distance) < 1) continue;
    context.fillStyle = ink[phase];
    if (Math.abs(distance) < CROWDED) context.fillRect(x - 0.5, place.middle - 4, 1, 8);
    else {
      paintMark(context, phase, x, place.middle);
      former[phase] = x;
    }
  }
}

/** The event whose mark is under a point. */
export function eventAt(figure: Figure, events: RunEvent[], x: number, y: number): RunEvent | null {
  const lane = figure.lanes.find(({ middle }) => Math.abs(middle - y) < REACH + 2);
  if (!lane) return null;
  let best: RunEvent | null = null;
  let distance = REACH;
  for (const event of events) {
    const away = Math.abs(figure.x(event.evaluation) - x);
    if (event.phase !== lane.phase || event.lane === false || away >= distance) continue;
    best = event;
    distance = away;
  }
  return best;
}

function paintMark(context: Context, phase: EventPhase, x: number, y: number): void {
  const r = RADIUS;
  context.beginPath();
  if (phase === "forward") polygon(context, [x, y - r, x + r, y + r * 0.8, x - r, y + r * 0.8]);
  else if (phase === "backward") polygon(context, [x, y + r, x + r, y - r * 0.8, x - r, y - r * 0.8]);
  else polygon(context, [x, y - r, x + r, y, x, y + r, x - r, y]);
  context.fill();
}

function polygon(context: Context, points: number[]): void {
  for (let index = 0; index < points.length; index += 2) {
    const [x, y] = [points[index] as number, points[index + 1] as number];
    if (index === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.closePath();
}
