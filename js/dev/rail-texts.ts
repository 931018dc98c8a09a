// What the kernel would say about the made-up run: events, phases, facts and captions up to an iteration.
import { formatNumber } from "../src/format";
import type {
  Caption,
  Fact,
  FactGroup,
  Head,
  Headline,
  Mark,
  Phase,
  RunEvent,
  Sentence,
  Series,
  Status,
  Watched,
} from "../src/protocol";
import { ITERATIONS, NAMES, type RailRun } from "./rail-route";

const LAST = ITERATIONS - 1;
const ALL_PHASES: readonly Phase[] = [
  { start: 0, stop: 14, kind: "descent", label: "fast descent" },
  { start: 14, stop: 38, kind: "descent", label: "rerouting" },
  { start: 38, stop: 64, kind: "plateau", label: "slow valley" },
  { start: 64, stop: ITERATIONS, kind: "converged", label: "settled" },
];
const FORWARD = [2, 5, 9, 15, 17, 22, 26, 33, 41, 52, 70];
const BACKWARD = [1, 4, 8, 12, 16, 21, 27, 31, 36, 44, 58];
const OPTIMIZER = [14, 38, 64, 88];
const FORWARD_TEXTS = [
  "the train slows to 12 m/s beside the village",
  "the line leaves the quarry's dust zone",
  "the grade at km 4.2 exceeds 1.2 %",
];
const BACKWARD_TEXTS = [
  "the village asks village-west to move north",
  "travel time pulls marsh south",
  "the quarry asks west-quarry to move north",
];

export const SERIES: readonly Series[] = NAMES.map((name, key) => ({
  key,
  name: `north[${key}]`,
  label: `${name} · y`,
  unit: "km",
  description: "how far north the line passes",
  group: "y",
  bounds: null,
  truth: null,
  statistic: "",
  shown: true,
}));

export const WATCHED: readonly Watched[] = [
  { key: 0, name: "length of the line", unit: "km", several: false, shown: true },
  { key: 1, name: "disturbance along the line", unit: "dB", several: true, shown: true },
];

export function headAt(iteration: number, status: Status): Head {
  const running = status === "running";
  return {
    title: "Rail route A→B",
    goal: "connect A and B, sparing the village, the quarry and the marsh",
    status,
    tone: running ? "live" : "good",
    state: running ? `recording · ${iteration}` : `converged · ${ITERATIONS} iterations`,
    evaluations: iteration + 1,
    noun: "iteration",
    optimizer: "Adam · step size 0.06",
    writer: { text: "llama3.2:3b · local", hint: "", command: "", pull: null },
    busy: running,
    thinned: 1,
    has_scene: true,
    loss_label: "cost",
    loss_unit: "M€",
    notices: [],
    view: "",
    compared: false,
  };
}

export function phasesAt(iteration: number): Phase[] {
  return ALL_PHASES.filter(({ start }) => start <= iteration).map((phase) => ({
    ...phase,
    stop: Math.min(phase.stop, iteration + 1),
  }));
}

export function eventsAt(iteration: number): RunEvent[] {
  const pick = (texts: readonly string[], index: number) => texts[index % texts.length] ?? "";
  const make = (evaluation: number, phase: RunEvent["phase"], text: string, stage: string) =>
    ({ id: "", evaluation, phase, text, stage, count: 1, lane: true }) satisfies RunEvent;
  return [
    ...FORWARD.map((at, index) => make(at, "forward", pick(FORWARD_TEXTS, index), "drive")),
    ...BACKWARD.map((at, index) => make(at, "backward", pick(BACKWARD_TEXTS, index), "")),
    ...OPTIMIZER.map((at) =>
      make(at, "optimizer", "the largest step fell below half of the phase's mean", ""),
    ),
  ]
    .sort((a, b) => a.evaluation - b.evaluation)
    .map((event, index) => ({ ...event, id: `e${index + 1}` }))
    .filter(({ evaluation }) => evaluation === iteration);
}

export const FACT_GROUPS: readonly FactGroup[] = [
  { question: "What became of the loss?", kinds: ["course"] },
  { question: "What moved, when, how far?", kinds: ["movement"] },
  { question: "What did the gradient ask, and was it obeyed?", kinds: ["pull"] },
  { question: "Why did it end, and what next?", kinds: ["ending"] },
];

export function factsFor(run: RailRun): Fact[] {
  const drop = 1 - (run.loss[LAST] ?? 0) / (run.loss[0] ?? 1);
  return [
    fact(
      "F1",
      `The loss fell from ${formatNumber(run.loss[0] ?? 0)} to ${formatNumber(run.loss[LAST] ?? 0)}, by ${formatNumber(100 * drop, 3)} %.`,
      0,
      LAST,
    ),
    ...NAMES.map((name, key) => {
      const values = run.values[key] ?? new Float64Array(ITERATIONS);
      return fact(
        `F${key + 2}`,
        `${name} went from ${formatNumber(values[0] ?? 0)} km to ${formatNumber(values[LAST] ?? 0)} km.`,
        0,
        LAST,
        "movement",
      );
    }),
    fact("F6", "The gradient of village-west changed its sign.", 8, 14, "pull"),
    fact("F7", "The loss changed by less than 0.5 % in the last 26 iterations.", 64, LAST, "ending"),
  ];
}

function fact(id: string, text: string, first: number, last: number, kind = "course"): Fact {
  return { id, kind, text, span: [first, last], cites: ["e1", "e6"] };
}

export function captionsAt(run: RailRun, iteration: number): Caption[] {
  const at = (key: number, row: number) => formatNumber(run.values[key]?.[Math.min(row, LAST)] ?? 0, 3);
  const loss = (row: number) => formatNumber(run.loss[Math.min(row, LAST)] ?? 0, 3);
  const drop = formatNumber(100 * (1 - (run.loss[LAST] ?? 0) / (run.loss[0] ?? 1)), 2);
  const checked = "3 of 3 claims match the recording · llama3.2:3b";
  const all: Caption[] = [
    caption(
      "c0",
      "Summary",
      0,
      LAST,
      `The route ended at a loss of #${loss(LAST)}#, down #${drop} %#. It swings around the village, and most of the gain came while _village-west_ and _village-east_ moved apart.`,
      ["F1", "F4", "e19"],
      checked,
    ),
    caption(
      "c1",
      "Fast descent",
      0,
      14,
      `The loss fell from #${loss(0)}# to #${loss(14)}# in #14# iterations. All four control points moved at nearly the full step size.`,
      ["F1", "e2"],
      checked,
    ),
    caption(
      "c2",
      "Rerouting",
      14,
      38,
      `The line bends around the village: _village-west_ goes from #${at(1, 14)}# to #${at(1, 38)} km#. The backward pass kept asking for this: moving it lowers the cost at every step.`,
      ["e15", "e16", "e21"],
      checked,
    ),
    caption(
      "c3",
      "Slow valley",
      38,
      64,
      "Two control points trade off: moving both keeps the loss within #1 %#, so these data do not pin them down separately.",
      ["F6"],
      "built-in text · the model's sentence was dropped: 1 claim did not match",
      "warning",
    ),
    caption(
      "c4",
      "Settled",
      64,
      LAST,
      "The loss changes by less than #0.5 %#; the gradients shrink without changing sign.",
      ["F7", "e26"],
      "built-in text · every number is from the recording",
      "neutral",
    ),
  ];
  return all.filter(({ id, span }) => (id === "c0" ? iteration >= LAST : span[1] <= iteration));
}

/** `#number#` and `_name_` mark the parts of a text. */
function caption(
  id: string,
  heading: string,
  first: number,
  last: number,
  text: string,
  cites: string[],
  line: string,
  tone: Caption["tone"] = "good",
): Caption {
  const parts = text
    .split(/(#[^#]+#|_[^_]+_)/)
    .filter(Boolean)
    .map((piece) => {
      if (piece.startsWith("#")) return { text: piece.slice(1, -1), kind: "number" as const };
      if (piece.startsWith("_")) return { text: piece.slice(1, -1), kind: "name" as const };
      return { text: piece, kind: "text" as const };
    });
  const plain = parts.map((part) => part.text).join("");
  return {
    id,
    heading,
    span: [first, last],
    parts,
    cites,
    line,
    tone,
    writing: false,
    sentences: plain.split(/(?<=[.]) (?=[A-Z])/).map((each) => sentence(each, cites, tone)),
    provenance: tone === "good" ? PROVENANCE : {},
    role: id === "c0" ? "summary" : "chapter",
    short: shortOf(parts),
  };
}

/** The first sentence. */
function shortOf(parts: Caption["parts"]): Caption["parts"] {
  const end = parts.findIndex(({ text }) => /[.:] [A-Z]/.test(text));
  if (end < 0) return parts;
  const last = parts[end] as Caption["parts"][number];
  return [...parts.slice(0, end), { ...last, text: last.text.slice(0, last.text.search(/[.:] [A-Z]/) + 1) }];
}

/** What the run comes to. */
export function headlineAt(run: RailRun, iteration: number): Headline | null {
  if (iteration < 9)
    return { text: "Too early to tell", beneath: [], span: [0, iteration], cites: [], wrong: false };
  const [first, now] = [run.loss[0] ?? 0, run.loss[iteration] ?? 0];
  const share = formatNumber(100 * (1 - now / first), 2);
  return {
    text: `${share} % cheaper, by leading the line around the village.`,
    beneath: [
      { text: `${formatNumber(first, 3)} → ${formatNumber(now, 3)} M€: moving `, kind: "text" },
      { text: "village-west · y", kind: "name" },
      { text: " north saved the most; the rest cost a little.", kind: "text" },
    ],
    span: [0, iteration],
    cites: ["F1", "F4"],
    wrong: false,
  };
}

export function marksAt(iteration: number): Mark[] {
  const all: Mark[] = [
    { iteration: 16, text: "leaves the quarry's reach", cited: true },
    { iteration: 33, text: "no longer below 120 km/h", cited: false },
    { iteration: 70, text: "leaves the village's reach", cited: true },
  ];
  return all.filter((mark) => mark.iteration <= iteration);
}

export const SUGGESTIONS = ["Why did village-west turn back?", "Why is it cheaper?", "Why did it stop?"];

const PROVENANCE = {
  model: "llama3.2:3b",
  digest: "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
  server: "0.9.6",
  seed: "7",
  prompts: "e3b0c44298fc",
};

function sentence(text: string, cites: string[], tone: Caption["tone"]): Sentence {
  const byModel = tone === "good";
  const claim = (words: string, reason: string) => ({ text: words, supported: true, reason });
  return {
    text,
    source: byModel ? "llama3.2:3b" : "built-in",
    cites: cites.filter((id) => id.startsWith("F")),
    built_in: byModel ? `What the narrator says in place of it, of ${cites[0]}.` : "",
    checked: byModel ? "in full" : "",
    dropped: tone === "warning" ? "it says that the loss rose, but it fell" : "",
    claims: byModel
      ? [claim("from 1.78 to 2.79 km", "as recorded"), claim("rises", "it moved up in this phase")]
      : [],
  };
}
