// What is known of the run: the history plus everything said about it, as signals that views watch.
// Fed by link.ts with decoded packets; knows neither the kernel nor the DOM.
import { batch, computed, signal } from "@preact/signals-core";
import { History } from "./history";
import type {
  Answer,
  Caption,
  Detail,
  Fact,
  FactGroup,
  Finding,
  Fits,
  FrameError,
  Group,
  Head,
  Header,
  Headline,
  Mark,
  Objectives,
  Phase,
  RunEvent,
  Series,
  Span,
  Watched,
} from "./protocol";
import type { Reasons, ReasonTable } from "./reasons_protocol";
import type { Frame, Packet } from "./wire";

/** A question of the reader; its answer is null while it is awaited. */
export interface Question {
  request: number;
  text: string;
  span: Span | null;
  answer: Caption | null;
}

const EMPTY_HEAD: Head = {
  title: "",
  goal: "",
  status: "running",
  tone: "live",
  state: "waiting",
  evaluations: 0,
  noun: "iteration",
  optimizer: "",
  writer: { text: "", hint: "", command: "", pull: null },
  busy: false,
  thinned: 1,
  has_scene: false,
  loss_label: "loss",
  loss_unit: "",
  notices: [],
  view: "",
  compared: false,
};

export class Store {
  readonly history = new History();
  /** Counts changes of `history`: reading it in an effect subscribes to the numbers. */
  readonly version = signal(0);
  /** The part of the run of which there are more rows than of the others. */
  readonly detail = signal<Detail | null>(null);
  readonly run = signal("");
  readonly head = signal<Head>(EMPTY_HEAD);
  /** What an evaluation is called. */
  readonly noun = computed(() => this.head.value.noun);
  readonly series = signal<Series[]>([]);
  readonly groups = signal<Group[]>([]);
  readonly watched = signal<Watched[]>([]);
  readonly phases = signal<Phase[]>([]);
  /** Null where all evaluations are one story. */
  readonly fits = signal<Fits | null>(null);
  /** Null where there is one. */
  readonly objectives = signal<Objectives | null>(null);
  /** Evaluations at which an optimizer began since those were told. */
  readonly begins = signal<readonly number[]>([]);
  readonly events = signal<RunEvent[]>([]);
  readonly eventsTotal = signal(0);
  readonly facts = signal<Fact[]>([]);
  readonly factGroups = signal<FactGroup[]>([]);
  readonly findings = signal<Finding[]>([]);
  /** Null until the run has ended. */
  readonly reasons = signal<Reasons | null>(null);
  /** Of the stretch that was last asked for. */
  readonly reasonsOver = signal<ReasonTable | null>(null);
  readonly captions = signal<Caption[]>([]);
  readonly headline = signal<Headline | null>(null);
  /** What is marked on the track. */
  readonly marks = signal<Mark[]>([]);
  readonly suggestions = signal<string[]>([]);
  readonly questions = signal<Question[]>([]);
  /** Pictures of the scene by iteration; `framesVersion` counts their arrivals. */
  readonly frames = new Map<number, Frame>();
  readonly framesVersion = signal(0);
  readonly frameError = signal<FrameError | null>(null);
  /** Messages were lost and the missing rows have not come yet. */
  readonly incomplete = signal(false);
  /** Something in the wire that could not be read, in words. */
  readonly problem = signal("");

  apply({ header, columns, frames }: Packet): void {
    batch(() => {
      const fresh = header.kind === "snapshot";
      const isOther = (header.objectives?.shown ?? 0) !== (this.objectives.value?.shown ?? 0);
      if (fresh && (isOther || header.run !== this.run.value)) this.#forget();
      this.run.value = header.run;
      if (fresh) this.history.replace(header.rows, columns);
      else if (header.detail) this.history.refine(header.rows, columns);
      else if (header.rows > 0) this.history.append(header.rows, columns);
      // Rows that were added took the detail's away.
      if (fresh || header.rows > 0) this.detail.value = header.detail ?? null;
      if (fresh || header.rows > 0) this.version.value++;
      this.#applyTexts(header, fresh);
      this.#applyFrames(header, frames, fresh);
    });
  }

  ask(question: Question): void {
    this.questions.value = [question, ...this.questions.value];
  }

  /** The picture at an iteration, or the nearest one before it, or else the first one. */
  frameAt(iteration: number): Frame | null {
    let best: Frame | null = null;
    let first: Frame | null = null;
    for (const frame of this.frames.values()) {
      if (frame.iteration <= iteration && frame.iteration >= (best?.iteration ?? -1)) best = frame;
      if (frame.iteration <= (first?.iteration ?? Number.POSITIVE_INFINITY)) first = frame;
    }
    return best ?? first;
  }

  #applyTexts(header: Header, fresh: boolean): void {
    if (header.head) this.head.value = { ...EMPTY_HEAD, ...header.head };
    if (header.series) this.series.value = header.series;
    if (header.groups) this.groups.value = header.groups;
    if (header.watched) this.watched.value = header.watched;
    if (header.phases) this.phases.value = header.phases;
    if (fresh) this.objectives.value = header.objectives ?? null;
    if (fresh || header.begins) this.begins.value = header.begins ?? [];
    if (fresh || header.fits !== undefined) this.#showFits(header.fits ?? null);
    if (header.fact_groups) this.factGroups.value = header.fact_groups;
    if (header.facts) this.facts.value = header.facts;
    if (header.findings) this.findings.value = header.findings;
    if (header.reasons || (fresh && header.head?.status === "running")) {
      this.reasons.value = header.reasons ?? null;
      this.reasonsOver.value = null;
    }
    if (header.reasons_over) this.reasonsOver.value = header.reasons_over;
    if (header.captions) this.captions.value = header.captions;
    if (header.headline !== undefined) this.headline.value = header.headline;
    if (header.marks) this.marks.value = header.marks;
    if (header.suggestions) this.suggestions.value = header.suggestions;
    if (fresh) this.eventsTotal.value = header.events_total ?? 0;
    if (fresh) this.events.value = header.events ?? [];
    else if (header.events?.length) {
      // Those that are cited later may have happened before.
      const all = [...this.events.value, ...header.events];
      this.events.value = all.sort((one, other) => one.evaluation - other.evaluation);
    }
    for (const answer of header.answers ?? []) this.#answer(answer);
  }

  #showFits(fits: Fits | null): void {
    const before = this.fits.value;
    this.fits.value = fits;
    if (!before || !fits || before.shown === fits.shown) return;
    // What was answered of the fit that was told of before would be taken for an answer about this one.
    this.questions.value = this.questions.value.filter(({ answer }) => answer === null);
  }

  #answer({ request, caption }: Answer): void {
    const known = this.questions.value.some((question) => question.request === request);
    // An answer to a question that another browser asked is shown as well.
    if (!known) this.ask({ request, text: caption.heading, span: caption.span, answer: caption });
    else {
      this.questions.value = this.questions.value.map((question) =>
        question.request === request ? { ...question, answer: caption } : question,
      );
    }
  }

  #applyFrames(header: Header, frames: Frame[], fresh: boolean): void {
    // A snapshot without pictures is one of the numbers and words: the pictures that are here stay.
    const replaces = fresh && header.frames !== undefined;
    if (replaces) this.frames.clear();
    for (const frame of frames) this.frames.set(frame.iteration, frame);
    if (replaces || frames.length > 0) this.framesVersion.value++;
    if (header.frame_error) this.frameError.value = header.frame_error;
    else if (frames.length > 0) this.frameError.value = null;
  }

  #forget(): void {
    this.frames.clear();
    this.framesVersion.value++;
    this.head.value = EMPTY_HEAD;
    this.series.value = [];
    this.groups.value = [];
    this.watched.value = [];
    this.phases.value = [];
    this.facts.value = [];
    this.factGroups.value = [];
    this.findings.value = [];
    this.reasons.value = null;
    this.reasonsOver.value = null;
    this.captions.value = [];
    this.headline.value = null;
    this.marks.value = [];
    this.suggestions.value = [];
    this.questions.value = [];
    this.frameError.value = null;
  }
}
