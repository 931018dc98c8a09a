// A caption that says nothing, for tests to fill in.
import type { Caption } from "../src/protocol";

export const CAPTION: Caption = {
  id: "c",
  heading: "",
  span: [0, 1],
  parts: [],
  cites: [],
  line: "",
  tone: "neutral",
  writing: false,
  sentences: [],
  provenance: {},
  role: "chapter",
  short: [],
};
