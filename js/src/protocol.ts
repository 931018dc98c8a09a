// The shapes that cross the wire (version 1), field by field as the kernel writes them.
// Nothing here runs: decoding is in wire.ts, what the messages do is in link.ts and store.ts.

export type Status = "running" | "finished" | "interrupted" | "failed";
export type Tone = "live" | "good" | "warning" | "bad" | "neutral";
export type EventPhase = "forward" | "backward" | "optimizer";
export type Span = readonly [first: number, last: number];

export interface ColumnSpec {
  key: string;
  type: "f8" | "f4" | "u1";
  offset: number;
  /** The first bytes of all numbers, then the second ones, and so on. */
  planes?: boolean;
}

export interface Writer {
  text: string;
  hint: string;
  command: string;
  pull: Pull | null;
}

/** A model that the server could download, or is downloading: its name, its size where that is known, what the
 *  button does, why the last try failed; and while it goes on, how far it is. */
export interface Pull {
  model: string;
  size: string;
  note: string;
  problem: string;
  going: boolean;
  text: string;
  percent: number | null;
}

export interface Head {
  title: string;
  goal: string;
  status: Status;
  tone: Tone;
  state: string;
  evaluations: number;
  optimizer: string;
  writer: Writer;
  busy: boolean;
  thinned: number;
  has_scene: boolean;
  loss_label: string;
  loss_unit: string;
  notices: string[];
  /** Several runs on shared axes: a series is a run. */
  compared: boolean;
}

export interface Series {
  key: number;
  name: string;
  label: string;
  unit: string;
  description: string;
  group: string;
  bounds: [number | null, number | null] | null;
  truth: number | null;
  statistic: string;
  shown: boolean;
  /** Place in the palette, where it is not the place in the list. */
  colour?: number;
}

export interface Group {
  key: string;
  label: string;
  unit: string;
  /** May have a logarithmic axis, as the loss has. */
  log?: boolean;
}

/** A quantity that the simulator watches: columns w (value, or the least of several), h (the largest) and
 *  d (the strongest derivative of the loss with respect to it), each with the key behind. */
export interface Watched {
  key: number;
  name: string;
  unit: string;
  several: boolean;
  shown: boolean;
}

export interface Phase {
  start: number;
  stop: number;
  kind: string;
  label: string;
}

export interface RunEvent {
  id: string;
  evaluation: number;
  phase: EventPhase;
  text: string;
  stage: string;
  count: number;
  lane: boolean;
}

export interface Fact {
  id: string;
  kind: string;
  text: string;
  span: Span;
  cites: string[];
}

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
  /** What was found in a model's words. */
  claims: Claim[];
}

export interface Caption {
  id: string;
  heading: string;
  span: Span;
  parts: { text: string; kind: "text" | "number" | "name" }[];
  cites: string[];
  line: string;
  tone: "good" | "warning" | "neutral";
  writing: boolean;
  sentences?: Sentence[];
  /** What a model's words depend on: model, digest, server, seed, prompts. */
  provenance?: Record<string, string>;
}

export interface Answer {
  request: number;
  caption: Caption;
}

export interface FrameSpec {
  iteration: number;
  offset: number;
  length: number;
  type: string;
  width: number;
  height: number;
}

export interface FrameError {
  iteration: number;
  text: string;
}

export interface FileSpec {
  request: number;
  name?: string;
  type?: string;
  offset?: number;
  length?: number;
  error?: string;
}

/** The evaluations of a part of the run, as asked for; one in `thinned` of them. */
export interface Detail {
  request: number;
  span: Span;
  thinned: number;
}

export interface Header {
  version: 1;
  kind: "snapshot" | "update";
  sequence: number;
  run: string;
  rows: number;
  columns: ColumnSpec[];
  head?: Head;
  series?: Series[];
  groups?: Group[];
  watched?: Watched[];
  phases?: Phase[];
  events?: RunEvent[];
  /** Events of the run, of which those listed are the first. */
  events_total?: number;
  facts?: Fact[];
  captions?: Caption[];
  answers?: Answer[];
  frames?: FrameSpec[];
  frame_error?: FrameError;
  file?: FileSpec;
  detail?: Detail;
}

/** Browser → kernel. None of them is essential: while a cell runs they may stay unanswered. */
export type Outgoing =
  | { type: "hello" }
  | { type: "resync" }
  | { type: "scene"; iteration: number }
  | { type: "rows"; request: number; span: Span }
  | { type: "file"; request: number; format: string; runs?: string[] }
  | { type: "explain"; span: Span }
  | { type: "quiet" }
  | { type: "pull"; cancel: boolean }
  | { type: "ask"; request: number; question: string; span: Span | null };
