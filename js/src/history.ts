// The recorded numbers: one growable typed column per key, one row per evaluation. No DOM, no signals.
import type { ColumnData } from "./wire";

/** Columns of which a missing value is "accepted" rather than "not a number". */
const FILL_WITH_ONE = "accepted";

class Column {
  #data: ColumnData;

  constructor(like: ColumnData, capacity: number) {
    this.#data = emptyLike(like, capacity);
  }

  /** Writes `values` at `row`, growing by doubling so that appending stays cheap. */
  write(row: number, values: ColumnData): void {
    const needed = row + values.length;
    if (needed > this.#data.length) {
      const grown = emptyLike(this.#data, Math.max(needed, 2 * this.#data.length));
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data.set(values, row);
  }

  fill(value: number, from: number, to: number): void {
    if (to > from) this.write(from, emptyLike(this.#data, to - from).fill(value));
  }

  view(rows: number): ColumnData {
    return this.#data.subarray(0, rows);
  }
}

function emptyLike(like: ColumnData, length: number): ColumnData {
  if (like instanceof Float64Array) return new Float64Array(length);
  return like instanceof Float32Array ? new Float32Array(length) : new Uint8Array(length);
}

export class History {
  #columns = new Map<string, Column>();
  #rows = 0;
  #strengths = new Map<string, { rows: number; value: number }>();
  /** What was here before a part was refined. */
  #coarse: { rows: number; columns: Map<string, ColumnData> } | null = null;

  get rows(): number {
    return this.#rows;
  }

  replace(rows: number, columns: Map<string, ColumnData>): void {
    this.#columns.clear();
    this.#strengths.clear();
    this.#coarse = null;
    this.#rows = 0;
    this.append(rows, columns);
  }

  /** Puts these rows in the place of those from the first to the last iteration of theirs; a part that was refined
   *  before is again as it was. */
  refine(rows: number, columns: Map<string, ColumnData>): void {
    this.#restore();
    const found = columns.get("iteration") ?? [];
    const coarse = { rows: this.#rows, columns: this.#views(0, this.#rows) };
    const before = rows > 0 ? this.#firstAfter((found[0] as number) - 1) : 0;
    const after = rows > 0 ? this.#firstAfter(found[rows - 1] as number) : 0;
    const tail = this.#views(after, this.#rows);
    this.replace(before, this.#views(0, before));
    this.append(rows, columns);
    this.append(coarse.rows - after, tail);
    this.#coarse = coarse;
  }

  /** Adds rows. A column that starts late, or is missing this time, is filled with "unknown". */
  append(rows: number, columns: Map<string, ColumnData>): void {
    this.#restore();
    const end = this.#rows + rows;
    for (const [key, values] of columns) {
      let column = this.#columns.get(key);
      if (!column) {
        column = new Column(values, Math.max(64, end));
        column.fill(key === FILL_WITH_ONE ? 1 : Number.NaN, 0, this.#rows);
        this.#columns.set(key, column);
      }
      column.write(this.#rows, values);
    }
    for (const [key, column] of this.#columns) {
      if (!columns.has(key)) column.fill(key === FILL_WITH_ONE ? 1 : Number.NaN, this.#rows, end);
    }
    this.#rows = end;
  }

  /** After lost messages: one unknown row, so that no line is drawn across what is not known. */
  appendUnknown(): void {
    if (this.#rows > 0) this.append(1, new Map([["iteration", Float64Array.of(this.lastIteration + 1)]]));
  }

  /** The recorded rows of a column, without a copy; empty where there is no such column. */
  column(key: string): ColumnData {
    return this.#columns.get(key)?.view(this.#rows) ?? new Float64Array(0);
  }

  value(key: string, row: number): number {
    return this.column(key)[row] ?? Number.NaN;
  }

  /** The largest magnitude in a column; only rows that are new since the last call are looked at. */
  strength(key: string): number {
    const known = this.#strengths.get(key) ?? { rows: 0, value: 0 };
    const column = this.column(key);
    for (; known.rows < column.length; known.rows++) {
      const size = Math.abs(column[known.rows] as number);
      if (size > known.value && size < Number.POSITIVE_INFINITY) known.value = size;
    }
    this.#strengths.set(key, known);
    return known.value;
  }

  /** The largest magnitude in some rows of a column. */
  strengthIn(key: string, from: number, to: number): number {
    let largest = 0;
    for (const value of this.column(key).subarray(from, to)) {
      const size = Math.abs(value);
      if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
    }
    return largest;
  }

  #restore(): void {
    if (this.#coarse) this.replace(this.#coarse.rows, this.#coarse.columns);
  }

  #views(from: number, to: number): Map<string, ColumnData> {
    return new Map([...this.#columns.keys()].map((key) => [key, this.column(key).subarray(from, to)]));
  }

  get firstIteration(): number {
    return this.column("iteration")[0] ?? 0;
  }

  get lastIteration(): number {
    return this.column("iteration")[this.#rows - 1] ?? 0;
  }

  /** The last row at or before an iteration (the first row for earlier ones); −1 when there are no rows. */
  rowAt(iteration: number): number {
    return this.#rows === 0 ? -1 : Math.max(0, this.#firstAfter(iteration) - 1);
  }

  /** The first row after an iteration. */
  #firstAfter(iteration: number): number {
    const iterations = this.column("iteration");
    let low = 0;
    let high = this.#rows;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((iterations[middle] ?? 0) <= iteration) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first row of an iteration or a later one. */
  rowFrom(iteration: number): number {
    return this.#firstAfter(iteration - 1);
  }

  /** The row whose iteration is closest. */
  nearestRow(iteration: number): number {
    const row = this.rowAt(iteration);
    if (row < 0 || row + 1 >= this.#rows) return row;
    const iterations = this.column("iteration");
    const before = iteration - (iterations[row] ?? 0);
    const after = (iterations[row + 1] ?? 0) - iteration;
    return after < before ? row + 1 : row;
  }
}
