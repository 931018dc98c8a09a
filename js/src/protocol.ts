// What crosses the wire, field by field. Made by dev/protocol.py from the Python files of the same names in
// xinv_nb/view/: what is to change changes there. Decoding is in wire.ts, what the messages do in link.ts and store.ts.

import type { Reasons, ReasonTable } from "./reasons_protocol";

export type Status = "running" | "finished" | "interrupted" | "failed";

export type Tone = "live" | "good" | "warning" | "bad" | "neutral";

export type View = "story" | "details" | "";

export type EventPhase = "forward" | "backward" | "optimizer";

/** First and last iteration. */
export type Span = readonly [number, number];

/** One number for each row. */
export interface ColumnSpec {
  /** `iteration`, `loss`, `accepted`; of the series k its values `pk` and gradient `gk`; of the watched
   *  quantity k its values `wk` (or the least of several), the largest of several `hk`, and `dk`, the
   *  strongest derivative of the loss with respect to it. */
  key: string;
  type: "f8" | "f4" | "u1";
  offset: number;
  /** The first bytes of all numbers, then the second ones, and so on. */
  planes?: boolean;
}

/** The evaluations of a part of the run, as asked for; one in `thinned` of them. */
export interface Detail {
  request: number;
  span: Span;
  thinned: number;
}

/** A picture of the scene. */
export interface FrameSpec {
  iteration: number;
  offset: number;
  length: number;
  type: string;
  width: number;
  height: number;
}

/** Why the scene could not be drawn. */
export interface FrameError {
  iteration: number;
  text: string;
}

/** A model that the server could download, or is downloading. */
export interface Pull {
  model: string;
  /** Empty where it is not known. */
  size: string;
  /** What the button does. */
  note: string;
  /** Why the last try failed. */
  problem: string;
  going: boolean;
  /** How far it is, while it goes on. */
  text: string;
  percent: number | null;
}

/** Who writes the captions. */
export interface Writer {
  text: string;
  hint: string;
  command: string;
  pull: Pull | null;
}

/** What the run is called, how it stands, and who writes of it. */
export interface Head {
  title: string;
  goal: string;
  status: Status;
  tone: Tone;
  state: string;
  evaluations: number;
  /** What an evaluation is called. */
  noun: "iteration" | "evaluation";
  optimizer: string;
  writer: Writer;
  busy: boolean;
  /** One in how many evaluations is there. */
  thinned: number;
  has_scene: boolean;
  loss_label: string;
  loss_unit: string;
  notices: string[];
  /** What is shown at first where the reader has not chosen yet, or asks for by name. */
  view: View;
  /** Several runs on shared axes: a series is a run. */
  compared: boolean;
}

/** A parameter, or a summary of many: columns p (values) and g (gradient), each with the key behind. */
export interface Series {
  key: number;
  name: string;
  label: string;
  unit: string;
  description: string;
  group: string;
  bounds: readonly [number | null, number | null] | null;
  truth: number | null;
  /** How a series summarizes many numbers; empty where it is one number. */
  statistic: string;
  /** Drawn until the reader chooses others. */
  shown: boolean;
  /** Place in the palette, where it is not the place in the list. */
  colour?: number;
}

/** Series that are drawn on one axis. */
export interface Group {
  key: string;
  label: string;
  unit: string;
  /** May have a logarithmic axis, as the loss has. */
  log?: boolean;
}

/** A quantity that the simulator watches. */
export interface Watched {
  key: number;
  name: string;
  unit: string;
  /** Had more than one number in an evaluation: there is a column h. */
  several: boolean;
  /** Drawn until the reader chooses others. */
  shown: boolean;
}

/** A stretch of the run, from iteration `start` up to but not including `stop`. */
export interface Phase {
  start: number;
  stop: number;
  kind: string;
  label: string;
}

/** Evaluations that belong together: those from `start` up to but not including `stop`. */
export interface Stretch {
  start: number;
  stop: number;
  /** The number of the fit, from 1; 0 where no optimizer made them, such as a grid for a plot; −1 of
   *  several fits, of very many, that are not told apart. */
  fit: number;
  /** The evaluation with the lowest loss. */
  best: number;
  /** What the fit is called in a list: its optimizer, and how it ended. */
  text: string;
}

/** What the evaluations are where they are not of one fit alone. */
export interface Fits {
  stretches: Stretch[];
  /** What phases, facts and captions tell of: its first evaluation, and the one after its last. */
  story: Span;
  /** The number of the fit that is told of. */
  shown: number;
  /** How many fits there are. */
  count: number;
}

/** The functions that were evaluated, of which one is shown, by its place. */
export interface Objectives {
  names: string[];
  shown: number;
}

/** Something that happened in the forward pass, the backward pass or the optimizer. */
export interface RunEvent {
  id: string;
  evaluation: number;
  phase: EventPhase;
  text: string;
  stage: string;
  count: number;
  /** Marked in the lanes: one of its kind begins or ends. */
  lane: boolean;
}

/** A statement computed from the recording. */
export interface Fact {
  id: string;
  kind: string;
  text: string;
  span: Span;
  cites: string[];
}

/** A question, and the kinds of facts that answer it. */
export interface FactGroup {
  question: string;
  kinds: string[];
}

/** What was found in a model's words. */
export interface Claim {
  text: string;
  /** null: the recording cannot decide it. */
  supported: boolean | null;
  reason: string;
}

/** One sentence of a caption: who worded it, from which facts, and what became of a model's wording. */
export interface Sentence {
  text: string;
  source: string;
  cites: string[];
  /** The built-in sentence; empty where it is the same. */
  built_in: string;
  /** "in full" or "in part", of a model's words; else empty. */
  checked: string;
  /** Why a model's words are not shown; else empty. */
  dropped: string;
  claims: Claim[];
}

/** A stretch of a caption's text that is set in one way. */
export interface Part {
  text: string;
  kind: "text" | "number" | "name";
}

/** What is said of a stretch of the run. */
export interface Caption {
  id: string;
  heading: string;
  span: Span;
  parts: Part[];
  cites: string[];
  /** Who worded it and what was checked, in one line. */
  line: string;
  tone: "good" | "warning" | "neutral";
  writing: boolean;
  sentences: Sentence[];
  /** What a model's words depend on: model, digest, server, seed, prompts. */
  provenance: Record<string, string>;
  /** Of all that is told of, of a part of it, or of what the reader asked for. */
  role: "summary" | "chapter" | "asked";
  /** One sentence for all of it. */
  short: Part[];
}

/** What a run comes to, and a line that says how. */
export interface Headline {
  text: string;
  /** Empty where nothing is known of that. */
  beneath: Part[];
  span: Span;
  cites: string[];
  /** It says what the first finding says in full. */
  wrong: boolean;
}

/** Something that began or ended in the simulation, told on the track. */
export interface Mark {
  iteration: number;
  text: string;
  /** A caption tells of it. */
  cited: boolean;
}

/** One thing that is wrong with the run, or needed to read its result right. */
export interface Finding {
  id: string;
  kind: string;
  /** A warning: the result cannot be used as it is. */
  heading: "Warning" | "Caution";
  /** What is wrong, and where. */
  text: Part[];
  /** What to do about it. */
  advice: Part[];
  span: Span;
  /** The events that it rests on. */
  cites: string[];
}

/** The answer to a question; another one to the same question takes its place. */
export interface Answer {
  request: number;
  caption: Caption;
}

/** A file for the reader to keep. */
export interface FileSpec {
  request: number;
  name: string;
  type: string;
  offset: number;
  length: number;
}

/** A run that this one could be laid over. */
export interface OtherRun {
  id: string;
  name: string;
  state: string;
}

/** The runs that the kernel has beside this one. */
export interface OtherRuns {
  request: number;
  runs: OtherRun[];
}

/** The run laid over others: the bytes are a packet of its own. */
export interface ComparisonSpec {
  request: number;
  offset: number;
  length: number;
}

/** Why there is no file, no comparison: the answer in their place. */
export interface Failure {
  request: number;
  text: string;
}

/** What a packet says in words, and what lies behind it. What is missing has not changed. */
export interface Header {
  version: 2;
  /** A snapshot takes the place of everything before it. */
  kind: "snapshot" | "update";
  /** Updates count up; a gap means that one was lost. */
  sequence: number;
  run: string;
  rows: number;
  columns: ColumnSpec[];
  head?: Head;
  series?: Series[];
  groups?: Group[];
  watched?: Watched[];
  phases?: Phase[];
  /** None, as if it were missing from a snapshot, where all evaluations are one story. */
  fits?: Fits | null;
  /** Of a run of several; missing from a snapshot of one. */
  objectives?: Objectives;
  /** Evaluations at which an optimizer began since the fits were told: no line is drawn across. */
  begins?: number[];
  /** Of an update, those that are new. */
  events?: RunEvent[];
  /** Events of the run; of very many, only some are listed. */
  events_total?: number;
  facts?: Fact[];
  /** In the order in which they are shown; come with the facts. */
  fact_groups?: FactGroup[];
  captions?: Caption[];
  /** Comes with the captions. */
  headline?: Headline | null;
  /** In the order in which they happened; come with the facts. */
  marks?: Mark[];
  /** Questions that the recording answers; come with the facts. */
  suggestions?: string[];
  /** The gravest first; come with the facts. */
  findings?: Finding[];
  reasons?: Reasons;
  reasons_over?: ReasonTable;
  answers?: Answer[];
  frames?: FrameSpec[];
  frame_error?: FrameError;
  detail?: Detail;
  file?: FileSpec;
  other_runs?: OtherRuns;
  comparison?: ComparisonSpec;
  failure?: Failure;
}
