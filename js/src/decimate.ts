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

  for (let row = 0; row < values.length; row++) {
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
): Float64Array {
  const result = new Float64Array(columns).fill(Number.NaN);
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    const column = columnOf(row);
    if (Number.isNaN(value) || column < 0 || column >= columns) continue;
    const former = result[column] as number;
    if (!(Math.abs(value) <= Math.abs(former))) result[column] = value;
  }
  return result;
}
