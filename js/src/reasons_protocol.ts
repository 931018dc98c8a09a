// What crosses the wire, field by field. Made by dev/protocol.py from the Python files of the same names in
// xinv_nb/view/: what is to change changes there. Decoding is in wire.ts, what the messages do in link.ts and store.ts.

/** A parameter in the table of reasons, or the others together. */
export interface ReasonRow {
  /** As in the series; empty of the others. */
  name: string;
  label: string;
  unit: string;
  /** What less and more of it is called in its domain. */
  directions: readonly [string, string] | null;
}

/** A quantity in the table of reasons, or the others together. */
export interface ReasonTerm {
  /** Empty of the others. */
  name: string;
  label: string;
  unit: string;
  /** By what a unit of it counts in the loss; None where it does not add up to the loss. */
  factor: number | null;
}

/** The change of the loss over a stretch, divided among parameters and quantities, in the unit of the
 *  loss. */
export interface ReasonTable {
  /** First and last iteration. */
  span: readonly [number, number];
  /** What the stretch is called; empty of the whole, and of one that the reader chose. */
  label: string;
  /** A row for each parameter, a column for each quantity that adds up to the loss. */
  parts: number[][];
  /** Of each parameter, what its move brought to the loss, through whatever. */
  together: number[];
  /** Of each quantity, its real change times its factor. */
  changes: number[];
  /** The real change of the loss. */
  change: number;
  /** By how much about a part may be wrong. */
  doubt: number;
  /** Why the parts cannot be told; empty where they are. */
  why_not: string;
}

/** Which quantity pushes which parameter which way, at some iterations: loss per unit of the parameter. */
export interface Pushes {
  iterations: number[];
  /** By iteration and row, a number for each quantity, then what all push together; more than that, if
   *  quantities that are not told push as well. None of the others, and of arrays. */
  parts: (number[] | null)[][];
  /** Whether next to nothing pushes but these quantities. */
  is_whole: boolean;
}

/** The cells of the table that a fact rests on, by row and columns. */
export interface ReasonFact {
  id: string;
  span: readonly [number, number];
  row: number;
  terms: number[];
}

/** What moved the parameters, and what their moves brought to the loss. */
export interface Reasons {
  /** Why there are none; empty where there are. */
  why_not: string;
  /** That of the loss. */
  unit: string;
  lower: string;
  /** What a lower and a higher loss is called. */
  higher: string;
  rows: ReasonRow[];
  /** Those that add up to the loss come first. */
  terms: ReasonTerm[];
  /** Of the whole, then of each phase. */
  tables: ReasonTable[];
  pushes: Pushes | null;
  facts: ReasonFact[];
}
