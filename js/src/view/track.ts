// The track: the loss, the chapters as bands, what happened, and the slider, all in one. The past is ink, the future grey:
// both are painted once, and the upper one is cut off at the cursor, so that a move repaints nothing.
import { signal as createSignal } from "@preact/signals-core";
import { chapterAt, chaptersOf, titleOf } from "../chapters";
import { eachFrame, element, react, setAttributes, setText } from "../dom";
import { type Part, partsOf } from "../fits";
import { formatCount, formatWithUnit } from "../format";
import { atEnd } from "../listen";
import { type Ink, readInk } from "../plot/ink";
import { createSurface } from "../plot/surface";
import { buildTrack, paintTrack, type Track } from "../plot/track";
import type { Caption, Span } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { labelOf } from "./legend";
import { runPlayback } from "./playback";
import { createReadout } from "./readout";
import { createMarks } from "./track-marks";
import { followTrackPointer } from "./track-pointer";

export interface TrackView {
  node: HTMLElement;
  slider: HTMLElement;
  recolour(): void;
}

/** Beside the plot: room for the labels of values, and for half of the knob. */
const LEFT = 52;
const RIGHT = 24;
/** From the plot's edges to the curve, whose names of chapters and rail stand there. */
const TOP = 34;
/** Where it is said that the scale is logarithmic. */
const NOTE = 24;
const NOTE_HEIGHT = 18;
const BOTTOM = 42;

export function createTrack(store: Store, state: State, root: HTMLElement, signal: AbortSignal): TrackView {
  const future = createSurface("future");
  const past = createSurface("past");
  const bands = element("div", { class: "bands", "aria-hidden": "true" });
  const spans = element("div", { class: "spans", "aria-hidden": "true" });
  const [selected, lit] = ["selected", "lit"].map((name) => element("span", { class: name }));
  const labels = element("div", { class: "track-labels", "aria-hidden": "true" });
  const ticks = element("div", { class: "ticks", "aria-hidden": "true" });
  const note = element("span", { class: "track-note" });
  const line = element("span", { class: "cursor-line", "aria-hidden": "true" });
  const point = element("span", { class: "cursor-dot", "aria-hidden": "true" });
  const rail = element(
    "span",
    { class: "rail", "aria-hidden": "true" },
    element("span", { class: "rail-past" }),
  );
  const knob = element("div", { class: "knob", role: "slider", "aria-label": "iteration", tabindex: "0" });
  const marks = createMarks(store);
  const plot = element("div", { class: "track-plot", "data-jp-suppress-context-menu": true });
  spans.append(...([lit, selected] as HTMLElement[]));
  plot.append(
    bands,
    spans,
    future.canvas,
    past.canvas,
    labels,
    marks.node,
    rail,
    line,
    point,
    ticks,
    note,
    knob,
  );
  const node = element("div", { class: "track" }, createReadout(store, state, signal), plot);

  const size = createSignal({ width: 0, height: 0 });
  const track = createSignal<Track | null>(null);
  let ink: Ink | null = null;

  const paint = eachFrame(signal, () => {
    const { width, height } = size.peek();
    // A cell scrolled out of a windowed notebook has no size.
    if (width <= 0) return;
    ink ??= readInk(root);
    const frame = { left: LEFT, right: width - RIGHT, top: TOP, bottom: height - BOTTOM };
    const built = buildTrack(store, state, frame);
    const compared = store.head.peek().compared;
    for (const { surface, colours } of [
      { surface: future, colours: { ...ink, text: ink.control } },
      { surface: past, colours: ink },
    ]) {
      const context = surface.begin(width, height);
      if (context && store.history.rows > 0) paintTrack(context, built, colours);
    }
    node.classList.toggle("compared", compared);
    layOut(built);
    marks.place(built, frame, ink.font);
    track.value = built;
  });

  function layOut(built: Track): void {
    const { labels: values, axis, panel, sheet } = built;
    labels.replaceChildren(
      ...values.map(({ text, y }) => element("span", { style: `top:${y}px`, class: "value-label" }, text)),
    );
    const shown = axis.ticks.map(({ value, text }) =>
      element("span", { style: `left:${sheet.x(value)}px` }, text),
    );
    ticks.replaceChildren(...shown);
    setText(note, panel.log ? "logarithmic scale" : "");
    note.hidden = !panel.log;
    note.style.top = `${isFree(built) ? NOTE : panel.bottom - NOTE_HEIGHT + 2}px`;
    const { from, to } = sheet.window;
    const last = sheet.iterations[Math.min(to, sheet.iterations.length) - 1] ?? sheet.iterations[from] ?? 0;
    plot.style.setProperty("--known", `${clamp(sheet.x(last))}px`);
  }

  function clamp(x: number): number {
    return Math.min(Math.max(x, LEFT), size.peek().width - RIGHT);
  }

  react(signal, () => {
    store.version.value;
    store.head.value;
    store.series.value;
    store.groups.value;
    store.fits.value;
    store.begins.value;
    store.marks.value;
    state.view.value;
    size.value;
    paint();
  });
  let chapters: Caption[] = [];
  react(signal, () => {
    const built = track.value;
    chapters = chaptersOf(store);
    if (!built) return;
    const others = store.head.peek().compared ? [] : partsOf(store).filter(({ kind }) => kind === "fit");
    bands.replaceChildren(
      ...chapters.map((each, index) => createBand(each, index, built)),
      ...others.map((each) => createOther(each, built)),
    );
    markChapter();
  });
  function createBand(chapter: Caption, index: number, { sheet }: Track): HTMLElement {
    const title = titleOf(chapter, store);
    // Up to where the next one begins.
    const ends = [chapter.span[0], chapters[index + 1]?.span[0] ?? chapter.span[1]];
    const [from, to] = ends.map((iteration) => clamp(sheet.x(iteration))) as [number, number];
    const text = chapters.length > 1 ? `${index + 1} ${title}` : title;
    const name = element("span", { class: "band-name" }, text);
    const band = element(
      "span",
      { class: "band", style: `left:${from}px;width:${Math.max(to - from, 0)}px` },
      name,
    );
    band.hidden = store.head.peek().compared;
    name.hidden = to - from < 44;
    return band;
  }
  /** A fit that is not told of. */
  function createOther({ from, to, fits }: Part, { sheet }: Track): HTMLElement {
    const ends = [from, to - 1].map((row) => clamp(sheet.x(store.history.value("iteration", row))));
    const [left, right] = ends as [number, number];
    const name = element("span", { class: "other-name" }, fits[0] > 0 ? `fit ${fits[0]}` : "");
    name.hidden = right - left < 34;
    return element("span", { class: "band other", style: `left:${left}px;width:${right - left}px` }, name);
  }
  function markChapter(): void {
    const at = chapterAt(chapters, state.iteration.peek());
    for (const [index, band] of [...bands.children].entries()) band.classList.toggle("current", index === at);
  }
  const stretch = (node: HTMLElement, span: Span | null, built: Track | null) => {
    node.hidden = !span || !built;
    if (!span || !built) return;
    const [from, to] = span.map((iteration) => clamp(built.sheet.x(iteration))) as [number, number];
    node.style.left = `${from}px`;
    node.style.width = `${Math.max(to - from, 2)}px`;
  };
  react(signal, () => stretch(selected as HTMLElement, state.span.value, track.value));
  react(signal, () => stretch(lit as HTMLElement, state.lit.value, track.value));
  react(signal, () => {
    const built = track.value;
    const row = state.row.value;
    const iteration = state.iteration.value;
    line.hidden = point.hidden = row < 0;
    if (!built) return;
    const x = built.sheet.x(iteration);
    const isSeen = x >= LEFT - 1 && x <= size.peek().width - RIGHT + 1;
    line.hidden = row < 0 || !isSeen;
    plot.style.setProperty("--cursor", `${clamp(x)}px`);
    const y = built.panel.loss ? built.panel.y(built.panel.loss[row] as number) : Number.NaN;
    point.hidden = !isSeen || !(y >= built.panel.top - 2 && y <= built.panel.bottom + 2);
    if (!point.hidden) point.style.top = `${y}px`;
    marks.pass(iteration);
    markChapter();
  });
  react(signal, () => {
    store.version.value;
    const { history } = store;
    const empty = state.row.value < 0;
    const iteration = state.iteration.value;
    setAttributes(knob, {
      "aria-valuenow": iteration,
      "aria-valuemin": history.firstIteration,
      "aria-valuemax": Math.max(history.lastIteration, history.firstIteration),
      "aria-valuetext": empty ? `no ${store.noun.value}s yet` : heardAt(store, state),
      "aria-disabled": empty,
    });
  });

  const observer = new ResizeObserver(() => {
    size.value = { width: plot.clientWidth, height: plot.clientHeight };
  });
  observer.observe(plot);
  atEnd(signal, () => observer.disconnect());
  window.addEventListener("resize", paint, { signal });
  followTrackPointer(plot, knob, () => track.peek(), store, state, signal);
  runPlayback(store, state, signal);
  const recolour = () => {
    ink = null;
    paint();
  };
  window.matchMedia("(forced-colors: active)").addEventListener("change", recolour, { signal });
  return { node, slider: knob, recolour };
}

/** Whether all curves pass below the note's place in the upper corner. */
function isFree({ panel, sheet }: Track): boolean {
  const { from, to } = sheet.window;
  const rows = [Math.max(from, Math.floor(to * 0.85)), to - 1];
  const curves = panel.loss ? [panel.loss] : panel.lines.map(({ values }) => values);
  const isBelow = (height: number) => !(height < NOTE + NOTE_HEIGHT);
  return curves.every((values) =>
    rows.every((row) => isBelow(panel.y((values[row] ?? Number.NaN) as number))),
  );
}

/** Parameters whose values are heard where they are shown alone. */
const MOST_HEARD = 3;

/** What a screen reader says of the cursor: 34 of 299, Descent, 641 M€. */
function heardAt(store: Store, state: State): string {
  const { history, head, noun, series } = store;
  const { loss_unit, compared } = head.value;
  const iteration = state.iteration.value;
  const chapters = chaptersOf(store);
  const chapter = chapters[chapterAt(chapters, iteration)];
  const value = (key: string, unit: string) => formatWithUnit(history.value(key, state.row.value), unit);
  const alone = series.value.filter(({ name }) => !compared && state.selected.value.includes(name));
  return [
    `${noun.value === "iteration" ? "" : `${noun.value} `}${formatCount(iteration)} of ${formatCount(history.lastIteration)}`,
    ...(chapter && chapters.length > 1 ? [titleOf(chapter, store)] : []),
    ...(compared ? [] : [value("loss", loss_unit)]),
    ...alone.slice(0, MOST_HEARD).map((each) => `${labelOf(each)} ${value(`p${each.key}`, each.unit)}`),
  ].join(", ");
}
