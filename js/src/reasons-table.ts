// What stands in the cells of the reasons, and how they are read out: numbers and words, no DOM.
import { formatNumber, formatWithUnit } from "./format";
import type { Span } from "./protocol";
import type { Reasons, ReasonTable } from "./reasons_protocol";

/** A place in the table; `term` −1 is all together. */
export interface Cell {
  row: number;
  term: number;
  span: Span;
  /** What pushes, in place of what was brought. */
  isPush: boolean;
}

/** Of a change; what is more of it than that stands in the table as left over. */
const MOST_LEFT_OVER = 0.005;
/** Of the largest number in the table: from here on a part is set off, and up to here it is quiet. */
const LARGE = 1 / 3;
const SMALL = 0.05;
const MINUS = "−";

/** The table of a stretch; null where it is not here. */
export function tableOver(
  { tables }: Reasons,
  asked: ReasonTable | null,
  span: Span | null,
): ReasonTable | null {
  const [whole] = tables;
  if (!span) return whole ?? null;
  const isOf = (table: ReasonTable) => table.span[0] === span[0] && table.span[1] === span[1];
  return tables.find(isOf) ?? (asked && isOf(asked) ? asked : null);
}

/** All numbers of a table: a row a parameter, then what is left over if it is much, then the real changes. */
export interface Grid {
  /** Of each row, a number for each quantity, the rest if it is much, and all together. */
  rows: number[][];
  /** By parameter nothing is left over but a trifle: null. */
  leftOver: number[] | null;
  changes: number[];
  /** There is a column of what comes through none of the quantities. */
  hasRest: boolean;
  /** The largest number, but for the sum of all: how long a bar may be. */
  scale: number;
  decimals: number;
}

export function gridOf({ parts, together, changes, change, doubt }: ReasonTable): Grid {
  const most = MOST_LEFT_OVER * Math.abs(change);
  const rest = parts.map((row, k) => (together[k] ?? 0) - sum(row));
  const hasTerms = changes.length > 0;
  const isMuch = (left: number) => Math.abs(left) > Math.max(most, doubt);
  const hasRest = hasTerms && rest.some(isMuch);
  const withRest = (numbers: number[], other: number, all: number) =>
    hasRest ? [...numbers, other, all] : hasTerms ? [...numbers, all] : [all];
  const rows = parts.map((row, k) => withRest(row, rest[k] ?? 0, together[k] ?? 0));
  const below = withRest(changes, change - sum(changes), change);
  const over = below.map((real, column) => real - sum(rows.map((row) => row[column] ?? 0)));
  const barred = [...rows.flat(), ...below.slice(0, -1)];
  const scale = Math.max(...barred.map(Math.abs), 0);
  return {
    rows,
    leftOver: over.some(isMuch) ? over : null,
    changes: below,
    hasRest,
    scale,
    decimals: decimalsFor(scale, doubt),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** So many that the largest number has three digits, and no more than are known. */
function decimalsFor(scale: number, doubt: number, digits = 3): number {
  if (!(scale > 0)) return 0;
  const wanted = digits - 1 - Math.floor(Math.log10(scale));
  const known = doubt > 0 ? -Math.ceil(Math.log10(doubt) - 1e-9) : wanted;
  return Math.min(wanted, known);
}

/** A number of a table, with the decimals that all of them have; without a sign it is a size. */
export function cellText(value: number, decimals: number, isSigned = true): string {
  const size = Math.abs(value);
  const unit = 10 ** -Math.min(decimals, 0);
  const rounded =
    decimals > 4 ? Number(size.toFixed(Math.min(decimals, 20))) : Math.round(size / unit) * unit;
  const text =
    decimals > 4 || size >= 1e6
      ? formatNumber(rounded)
      : decimals > 0
        ? size.toFixed(decimals)
        : String(rounded);
  if (Number(text) === 0) return "0";
  return isSigned ? `${value < 0 ? MINUS : "+"}${text}` : text;
}

export function weightOf(value: number, scale: number): "large" | "small" | "" {
  const share = Math.abs(value) / (scale || 1);
  return share >= LARGE ? "large" : share < SMALL ? "small" : "";
}

/** "fourth point, valley: 62.3 M€ cheaper". */
export function cellLabel(
  { unit, lower, higher }: Reasons,
  row: string,
  term: string,
  value: number,
  decimals: number,
): string {
  const text = cellText(value, decimals, false);
  const size = unit ? `${text}\u00a0${unit}` : text;
  return `${row}, ${term}: ${text === "0" ? "next to nothing" : `${size} ${value < 0 ? lower : higher}`}`;
}

/** What pushes at an iteration, or at the nearest one at which it is known. */
export interface PushesAt {
  iteration: number;
  /** Of each row, a number for each quantity, the rest if there is one, and all together. */
  rows: (number[] | null)[];
  /** Of each row, the strongest push on a parameter of this unit: how long an arrow may be. */
  scales: number[];
  decimals: number[];
}

export function pushesAt({ pushes, rows }: Reasons, iteration: number): PushesAt | null {
  if (!pushes) return null;
  const { iterations, parts, is_whole } = pushes;
  let place = 0;
  iterations.forEach((each, k) => {
    if (Math.abs(each - iteration) < Math.abs((iterations[place] ?? 0) - iteration)) place = k;
  });
  const found = (parts[place] ?? []).map((numbers) => {
    const all = numbers?.at(-1) ?? 0;
    const own = numbers?.slice(0, -1) ?? [];
    return numbers && (is_whole ? numbers : [...own, all - sum(own), all]);
  });
  const scales = rows.map(({ unit }) => {
    const same = found.filter((_, k) => rows[k]?.unit === unit);
    return Math.max(0, ...same.flatMap((numbers) => numbers?.map(Math.abs) ?? []));
  });
  return {
    iteration: iterations[place] ?? 0,
    rows: found,
    scales,
    // Between two readings of the derivatives they are interpolated.
    decimals: scales.map((scale) => decimalsFor(scale, 0, 2)),
  };
}

/** "pushed north", in the parameter's own directions. */
export function wayOf({ rows }: Reasons, row: number, value: number): string {
  const [less, more] = rows[row]?.directions ?? ["less", "more"];
  return value < 0 ? less : more;
}

/** "fourth point, valley: pushed north, 5.8". */
export function pushLabel(
  reasons: Reasons,
  row: number,
  term: string,
  value: number,
  decimals: number,
): string {
  const text = cellText(value, decimals, false);
  const way = text === "0" ? "next to no push" : `pushed ${wayOf(reasons, row, value)}, ${text}`;
  return `${reasons.rows[row]?.label}, ${term}: ${way}`;
}

/** The unit of pushes on the parameters: that of the loss for each of theirs; of several units, that of the loss. */
export function pushUnit({ unit, rows }: Reasons): string {
  const units = new Set(rows.filter(({ name }) => name).map((row) => row.unit));
  const [own = ""] = units;
  return units.size === 1 && own ? `${unit || "loss"} per ${own}` : `${unit || "loss"} per unit`;
}

/** "−106 M€ is the whole change, nothing is left over." */
export function sumInWords({ unit, terms }: Reasons, { change, doubt }: ReasonTable, grid: Grid): string {
  const text = cellText(change, grid.decimals);
  const whole = `${unit ? `${text}\u00a0${unit}` : text} is the whole change`;
  const left = grid.leftOver?.at(-1) ?? change - sum(grid.rows.map((row) => row.at(-1) ?? 0));
  const over = cellText(left, grid.decimals, false);
  const said = over === "0" ? "nothing is left over" : `${over} of it is left over`;
  const counts = terms
    .filter(({ factor, name }) => name && factor !== null && factor !== 1)
    .map(({ factor, label, unit: own }) => {
      const worth = formatWithUnit(factor ?? 0, unit);
      return own ? `1\u00a0${own} of ${label} counts ${worth}.` : `${label} counts ${worth} times.`;
    });
  // Of a table whose numbers are known to a few digits only, it is said so.
  const about =
    doubt > SMALL * grid.scale ? ` Each part is right within about ${formatWithUnit(doubt, unit)}.` : "";
  return [`${whole}, ${said}.`, ...counts].join(" ") + about;
}

/** The cells that facts rest on. */
export function cellsOf({ facts }: Reasons, ids: readonly string[]): Cell[] {
  return facts
    .filter(({ id }) => ids.includes(id))
    .flatMap(({ row, terms, span }) => terms.map((term) => ({ row, term, span, isPush: false })));
}

/** The facts that rest on a cell. */
export function factsOf({ facts }: Reasons, { row, term, span, isPush }: Cell): string[] {
  return facts
    .filter((fact) => !isPush && fact.row === row && fact.span[0] === span[0] && fact.span[1] === span[1])
    .filter(({ terms }) => term < 0 || terms.includes(term))
    .map(({ id }) => id);
}
