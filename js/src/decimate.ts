// Thins a line to what a screen can show: in each pixel column the first, lowest, highest and last row.
// Pure functions; peaks survive at any zoom because minimum and maximum of every column are kept.
import type { ColumnData } from "./wire";

/** In a list of rows: the line is interrupted here. */
export const BREAK = -1;

/**
 * The rows to join by a line, in order, with BREAK where values are missing (not finite).
 * `columnOf` gives a row's pixel column and must not decrease; rows whose `mask` is 0 are left out.
 */
export function decimate(
  values: ColumnData,
  columnOf: (row: number) => number,
  mask: ColumnData | null = null,
  from = 0,
  to = values.length,
): number[] {
  const rows: number[] = [];
  let column = Number.NaN;
  let first = -1;
  let low = -1;
  let high = -1;
  let last = -1;
  let gap = false;

  const flush = () => {
    if (first < 0) return;
    push(rows, first);
    push(rows, Math.min(low, high));
    push(rows, Math.max(low, high));
    push(rows, last);
  };

  for (let row = from; row < Math.min(to, values.length); row++) {
    if (mask && mask[row] === 0) continue;
    const value = values[row] as number;
    if (!Number.isFinite(value)) {
      gap = true;
      continue;
    }
    const here = columnOf(row);
    if (here !== column) {
      flush();
      if (gap && rows.length > 0) rows.push(BREAK);
      column = here;
      first = low = high = last = row;
    } else {
      if (value < (values[low] as number)) low = row;
      if (value > (values[high] as number)) high = row;
      last = row;
    }
    gap = false;
  }
  flush();
  return rows;
}

function push(rows: number[], row: number): void {
  if (rows[rows.length - 1] !== row) rows.push(row);
}

/** In each pixel column the value of largest magnitude; NaN where a column has none. */
export function strongest(
  values: ColumnData,
  columnOf: (row: number) => number,
  columns: number,
  from = 0,
  to = values.length,
): Float64Array {
  const result = new Float64Array(columns).fill(Number.NaN);
  for (let row = from; row < Math.min(to, values.length); row++) {
    const value = values[row] as number;
    const column = columnOf(row);
    if (Number.isNaN(value) || column < 0 || column >= columns) continue;
    const former = result[column] as number;
    if (!(Math.abs(value) <= Math.abs(former))) result[column] = value;
  }
  return result;
}

/** A stretch of a band without gaps: for each pixel column a row of it, the least and the largest value. */
export interface Stretch {
  rows: number[];
  low: number[];
  high: number[];
}

/** A band between two columns, thinned like a line; where the upper one is missing, it is the lower one's line. */
export function decimateBand(
  low: ColumnData,
  high: ColumnData,
  columnOf: (row: number) => number,
  mask: ColumnData | null = null,
  from = 0,
  to = low.length,
): Stretch[] {
  const stretches: Stretch[] = [];
  let current: Stretch | null = null;
  let column = Number.NaN;
  for (let row = from; row < Math.min(to, low.length); row++) {
    if (mask && mask[row] === 0) continue;
    const least = low[row] as number;
    if (!Number.isFinite(least)) {
      current = null;
      continue;
    }
    const largest = Number.isFinite(high[row]) ? (high[row] as number) : least;
    const here = columnOf(row);
    if (!current) {
      current = { rows: [], low: [], high: [] };
      stretches.push(current);
      column = Number.NaN;
    }
    const end = current.rows.length - 1;
    if (here === column) {
      current.low[end] = Math.min(current.low[end] as number, least);
      current.high[end] = Math.max(current.high[end] as number, largest);
    } else {
      current.rows.push(row);
      current.low.push(least);
      current.high.push(largest);
      column = here;
    }
  }
  return stretches;
}
