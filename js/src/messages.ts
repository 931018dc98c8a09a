// What crosses the wire, field by field. Made by dev/protocol.py from the Python files of the same names in
// xinv_nb/view/: what is to change changes there. Decoding is in wire.ts, what the messages do in link.ts and store.ts.

import type { Span } from "./protocol";

/** A packet is the one buffer of this message. */
export interface PacketMessage {
  type: "packet";
}

/** The answer to "hello". */
export interface HereMessage {
  type: "here";
}

export type ToBrowser = PacketMessage | HereMessage;

/** Asks whether a kernel is there. */
export interface HelloMessage {
  type: "hello";
}

/** Says that an update was lost. */
export interface ResyncMessage {
  type: "resync";
}

/** Asks for a picture of the scene. */
export interface SceneMessage {
  type: "scene";
  iteration: number;
}

/** Asks for the evaluations of a part of the run. */
export interface RowsMessage {
  type: "rows";
  request: number;
  span: Span;
}

/** Asks for a file: "page", "picture" or "data". */
export interface FileMessage {
  type: "file";
  request: number;
  format: string;
}

/** Asks which other runs there are. */
export interface RunsMessage {
  type: "runs";
  request: number;
}

/** Asks to have the run laid over others, by their ids. */
export interface CompareMessage {
  type: "compare";
  request: number;
  runs: string[];
}

/** Asks to have the fits of the run laid over each other. */
export interface CompareFitsMessage {
  type: "compare_fits";
  request: number;
}

/** Asks to be told of another fit, by its number from 1. */
export interface FitMessage {
  type: "fit";
  fit: number;
}

/** Asks to be shown another objective, by its place in the list. */
export interface ObjectiveMessage {
  type: "objective";
  objective: number;
}

/** Asks for a caption of these iterations; it comes among the others. */
export interface ExplainMessage {
  type: "explain";
  span: Span;
}

/** Asks for the reasons over these iterations. */
export interface ReasonsMessage {
  type: "reasons";
  span: Span;
}

/** Asks that the model which is writing stops. */
export interface QuietMessage {
  type: "quiet";
}

/** Asks that the model which is offered is downloaded, or that this ends; the kernel knows which one it
 *  is. */
export interface PullMessage {
  type: "pull";
  cancel: boolean;
}

/** Asks a question about a part of the run, or all of it. */
export interface AskMessage {
  type: "ask";
  request: number;
  question: string;
  span: Span | null;
}

/** None of them is essential: while a cell runs they may stay unanswered. */
export type ToKernel =
  | HelloMessage
  | ResyncMessage
  | SceneMessage
  | RowsMessage
  | FileMessage
  | RunsMessage
  | CompareMessage
  | CompareFitsMessage
  | FitMessage
  | ObjectiveMessage
  | ExplainMessage
  | ReasonsMessage
  | QuietMessage
  | PullMessage
  | AskMessage;
