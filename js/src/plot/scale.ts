// Axes: nice ticks, domains that extend in steps, and the map from values to pixels. Pure functions.
import { formatCount, formatNumber, formatTick } from "../format";

export interface Tick {
  value: number;
  text: string;
}

export interface Axis {
  low: number;
  high: number;
  log: boolean;
  ticks: Tick[];
}

/** 1, 2 or 5 times a power of ten, at least `value`. */
export function ceiling125(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const factor = value / power;
  return power * (factor <= 1 + 1e-9 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

/** The iteration axis. While recording it ends at 10, 20, 50, 100, …, so that growing lines do not move. */
export function iterationAxis(first: number, last: number, running: boolean, room: number): Axis {
  // One iteration alone stands in the middle.
  if (first === last && !running) {
    return {
      low: first - 1,
      high: first + 1,
      log: false,
      ticks: [{ value: first, text: formatCount(first) }],
    };
  }
  const length = Math.max(last - first, 1);
  const high = first + (running ? ceiling125(Math.max(length, 10)) : length);
  const step = Math.max(1, ceiling125((high - first) / Math.max(room, 1)));
  const ticks: Tick[] = [];
  for (let value = Math.ceil(first / step) * step; value <= high + 1e-9; value += step) {
    ticks.push({ value, text: formatCount(value) });
  }
  return { low: first, high, log: false, ticks };
}

/** The iteration axis of a part of the run. */
export function zoomedAxis(low: number, high: number, room: number): Axis {
  const step = Math.max(1, ceiling125((high - low) / Math.max(room, 1)));
  const ticks: Tick[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) {
    ticks.push({ value, text: formatCount(value) });
  }
  return { low, high, log: false, ticks };
}

/** A value axis that holds [low, high], with about `room` ticks; its ends lie on ticks. */
export function valueAxis(low: number, high: number, log: boolean, room: number): Axis {
  if (!(low <= high)) return { low: 0, high: 1, log: false, ticks: [] };
  return log ? logAxis(low, high, room) : linearAxis(low, high, room);
}

function linearAxis(low: number, high: number, room: number): Axis {
  if (low === high) {
    // A constant: its one value in the middle, labelled as it is.
    const reach = low === 0 ? 1 : Math.abs(low) * 0.1;
    return {
      low: low - reach,
      high: low + reach,
      log: false,
      ticks: [{ value: low, text: formatNumber(low) }],
    };
  }
  const margin = (high - low) * 0.03;
  const step = ceiling125((high - low) / Math.max(room, 2));
  const start = Math.floor((low - margin) / (step / 2)) * (step / 2);
  const end = Math.ceil((high + margin) / (step / 2)) * (step / 2);
  const ticks: Tick[] = [];
  for (let k = Math.ceil(start / step - 1e-9); k * step <= end + step * 1e-9; k++) {
    ticks.push({ value: k * step, text: formatTick(k * step, step) });
  }
  return { low: start, high: end, log: false, ticks };
}

function logAxis(low: number, high: number, room: number): Axis {
  const from = Math.floor(Math.log10(low) + 1e-9);
  const to = Math.ceil(Math.log10(high) - 1e-9);
  const every = Math.max(1, Math.ceil((to - from) / Math.max(room, 2)));
  const ticks: Tick[] = [];
  for (let power = from; power <= to; power++) {
    if ((power - from) % every === 0)
      ticks.push({ value: 10 ** power, text: formatTick(10 ** power, 10 ** power) });
  }
  return { low: 10 ** from, high: 10 ** to, log: true, ticks };
}

/** The map from values to pixels: `low` lies at `start`, `high` at `end`. */
export function pixels(axis: Axis, start: number, end: number): (value: number) => number {
  if (axis.log) {
    const low = Math.log10(axis.low);
    const factor = (end - start) / (Math.log10(axis.high) - low || 1);
    return (value) => start + (Math.log10(value) - low) * factor;
  }
  const factor = (end - start) / (axis.high - axis.low || 1);
  return (value) => start + (value - axis.low) * factor;
}
