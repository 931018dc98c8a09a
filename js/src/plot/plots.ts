// The left column's picture: two canvases on top of each other, what repaints them, and what a pointer does.
// New data repaint both layers, a moved cursor only the upper one; each at most once per frame.
import { signal as createSignal, effect } from "@preact/signals-core";
import { eachFrame, element, react, setText } from "../dom";
import { fitInWords, storyOf } from "../fits";
import { formatCount, formatPair } from "../format";
import { atEnd, on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { followCursor } from "../zoom";
import { paintBackdrop } from "./backdrop";
import { buildFigure, type Figure, neededHeight } from "./figure";
import { type Ink, readInk } from "./ink";
import { paintLabels } from "./labels";
import { paintLanes } from "./lanes";
import { paintPanelLines } from "./lines";
import { paintOverlay } from "./overlay";
import { followPointer } from "./pointer";
import { paintStrips } from "./strips";
import { createSurface } from "./surface";

const LEAST_HEIGHT = 530;

export interface Plots {
  node: HTMLElement;
  /** What is painted, on the ground of the theme in force; null before anything is. */
  picture(): HTMLCanvasElement | null;
  /** Reads the colours again and repaints: the theme has changed. */
  recolour(): void;
}

export function createPlots(store: Store, state: State, root: HTMLElement, signal: AbortSignal): Plots {
  const base = createSurface("base");
  const overlay = createSurface("overlay");
  const summary = element("p", { class: "visually-hidden", id: "plots-summary" });
  const empty = element("p", { class: "empty" });
  const node = element(
    "div",
    {
      class: "plots",
      role: "group",
      "aria-label": "plots",
      "aria-describedby": "plots-summary",
      tabindex: "0",
      "data-jp-suppress-context-menu": true,
    },
    base.canvas,
    overlay.canvas,
    summary,
    empty,
  );

  const width = createSignal(0);
  let height = 0;
  let figure: Figure | null = null;
  let ink: Ink | null = null;

  const paintMarks = eachFrame(signal, () => {
    if (!figure) return;
    ink ??= readInk(root);
    const context = overlay.begin(figure.width, figure.height);
    if (!context) return;
    const marks = { row: state.row.peek(), selected: state.span.peek(), lit: state.lit.peek() };
    paintOverlay(context, figure, marks, ink);
  });
  const paintAll = eachFrame(signal, () => {
    // A cell scrolled out of a windowed notebook has no size; it is painted when it comes back.
    if (width.peek() <= 0) return;
    ink ??= readInk(root);
    figure = buildFigure(store, state, width.peek(), height);
    const context = base.begin(figure.width, figure.height);
    if (context && figure.iterations.length > 0) {
      paintBackdrop(context, figure, store.phases.peek(), ink);
      for (const panel of figure.panels) paintPanelLines(context, figure, panel, ink);
      paintStrips(context, figure, ink);
      paintLanes(context, figure, store.events.peek(), ink);
      paintLabels(context, figure.labels, ink);
    } else figure = null;
    if (!figure) overlay.begin(width.peek(), height);
    paintMarks();
  });

  react(signal, () => {
    // Grows with what is to be shown and never shrinks: nothing below moves twice.
    store.version.value;
    store.fits.value;
    height = Math.max(height, LEAST_HEIGHT, Math.ceil(neededHeight(store, state)));
    node.style.height = `${height}px`;
  });
  react(signal, () => {
    store.version.value;
    store.head.value;
    store.series.value;
    store.groups.value;
    store.watched.value;
    store.phases.value;
    store.fits.value;
    store.events.value;
    state.selected.value;
    state.toggled.value;
    state.view.value;
    width.value;
    paintAll();
  });
  react(signal, () => followCursor(store, state));
  react(signal, () => {
    // Another run, or one that began anew: what was zoomed is gone.
    store.run.value;
    state.view.value = null;
  });
  react(signal, () => {
    state.row.value;
    state.span.value;
    state.lit.value;
    paintMarks();
  });
  react(signal, () => {
    setText(empty, emptyText(store));
    empty.hidden = empty.textContent === "";
    empty.classList.toggle("ended", store.head.value.status !== "running");
  });
  describe(store, summary, signal);
  watchWidth(node, signal, (value) => {
    width.value = value;
  });
  // Behind the table, the plots are out of reach.
  react(signal, () => {
    node.style.visibility = state.table.value ? "hidden" : "";
  });
  // The browser's zoom, or a screen with another pixel density.
  window.addEventListener("resize", paintAll, { signal });
  followPointer(node, () => figure, store, state, signal);
  // The host's own context menu would cover the plots; the browser's stays.
  on(node, "contextmenu", (event) => event.stopPropagation(), { signal });

  const recolour = () => {
    ink = null;
    paintAll();
  };
  window.matchMedia("(forced-colors: active)").addEventListener("change", recolour, { signal });
  const picture = () => {
    const { width: w, height: h } = base.canvas;
    const sheet = element("canvas", { width: w, height: h });
    const context = sheet.getContext("2d");
    if (!figure || !context || !ink) return null;
    context.fillStyle = ink.surface;
    context.fillRect(0, 0, w, h);
    for (const { canvas } of [base, overlay]) context.drawImage(canvas, 0, 0);
    return sheet;
  };
  return { node, recolour, picture };
}

function emptyText(store: Store): string {
  store.version.value;
  const { status, notices, state } = store.head.value;
  if (store.history.rows > 0) return "";
  if (store.problem.value) return store.problem.value;
  if (status === "running") return "waiting for the first gradient…";
  return notices.length > 0 ? notices.join("\n") : `${state || status} · nothing was recorded`;
}

/** One sentence for those who do not see the canvas; renewed slowly while data stream in. */
function describe(store: Store, summary: HTMLElement, signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    timer = undefined;
    const { history } = store;
    if (history.rows === 0) return setText(summary, "Nothing is recorded yet.");
    const loss = history.column("loss");
    const { loss_label, compared } = store.head.peek();
    const { from, to } = storyOf(store);
    const [first, last] = [from, to - 1].map((row) => formatCount(history.value("iteration", row)));
    const iterations = `${store.noun.peek()}s ${first} to ${last}`;
    const fit = fitInWords(store);
    setText(
      summary,
      (compared
        ? `Several runs on shared axes over ${iterations}. `
        : `${fit && `${fit}: `}` +
          `${loss_label} from ${formatPair(loss[from] as number, loss[to - 1] as number).join(" to ")} ` +
          `over ${iterations}; ` +
          `${store.series.peek().length} parameters, ${store.events.peek().length} events. ` +
          "Gradient strips show each row relative to its strongest gradient. ") +
        "Arrow keys move the cursor, Space plays, + and − zoom, 0 shows the whole run.",
    );
  };
  const stop = effect(() => {
    store.version.value;
    store.series.value;
    store.fits.value;
    timer ??= setTimeout(write, 1000);
  });
  atEnd(signal, () => {
    stop();
    clearTimeout(timer);
  });
}

function watchWidth(node: HTMLElement, signal: AbortSignal, report: (width: number) => void): void {
  const observer = new ResizeObserver(() => report(node.clientWidth));
  observer.observe(node);
  atEnd(signal, () => observer.disconnect());
}
