// Which part of the run the plots show: zoomed around an iteration, moved along, all of it again. No DOM.
import { effect } from "@preact/signals-core";
import type { Link } from "./link";
import { atEnd } from "./listen";
import type { Span } from "./protocol";
import type { State } from "./state";
import type { Store } from "./store";

/** Fewer iterations than this are not worth a figure. */
const LEAST = 4;

export function wholeRun({ history }: Store): Span {
  return [history.firstIteration, history.lastIteration];
}

/** Shows `factor` times as many iterations; the one at `around` stays where it is. */
export function zoom(store: Store, state: State, around: number, factor: number): void {
  const [low, high] = state.view.value ?? wholeRun(store);
  const length = Math.max(high - low, 1);
  const wanted = Math.max(length * factor, LEAST);
  const share = (around - low) / length;
  show(store, state, around - share * wanted, around + (1 - share) * wanted);
}

/** Moves along by a number of iterations, up to the ends of the run. */
export function pan(store: Store, state: State, iterations: number): void {
  const view = state.view.value;
  if (!view) return;
  const [first, last] = wholeRun(store);
  const shift = Math.min(Math.max(iterations, first - view[0]), last - view[1]);
  if (shift !== 0) state.view.value = [view[0] + shift, view[1] + shift];
}

/** Shows these iterations; all of them means the whole run, also as it grows. */
export function show(store: Store, state: State, low: number, high: number): void {
  const [first, last] = wholeRun(store);
  if (high - low >= last - first) {
    state.view.value = null;
    return;
  }
  const length = Math.max(high - low, Math.min(LEAST, last - first));
  const start = Math.min(Math.max(low, first), last - length);
  state.view.value = [start, start + length];
}

/** The part that is shown follows a cursor that leaves it, and the newest iteration of a running run. */
export function followCursor(store: Store, state: State): void {
  const view = state.view.peek();
  const iteration = state.iteration.value;
  if (!view || (iteration >= view[0] && iteration <= view[1])) return;
  const margin = (view[1] - view[0]) * 0.1;
  pan(store, state, iteration < view[0] ? iteration - view[0] - margin : iteration - view[1] + margin);
}

/** How long a part has to be in view (ms) before its evaluations are asked for. */
const REST = 150;

/** Of a part of a long run that is zoomed into, has the kernel send the evaluations that were left out. */
export function refineView(store: Store, state: State, link: Link, signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    clearTimeout(timer);
    const view = state.view.value;
    const { status, compared } = store.head.value;
    const detail = store.detail.value;
    const isPart = view && state.thinned.value > 1 && status !== "running" && !compared;
    if (!isPart || !link.hasKernel.value || (detail && isCloseTo(detail.span, view))) return;
    const margin = (view[1] - view[0]) / 4;
    const span: Span = [Math.floor(view[0] - margin), Math.ceil(view[1] + margin)];
    timer = setTimeout(() => link.requestRows(span), REST);
  });
  atEnd(signal, () => {
    stop();
    clearTimeout(timer);
  });
}

/** Whether a part has nothing but the view and a little around it: more of its rows would not be sent. */
function isCloseTo(part: Span, view: Span): boolean {
  return part[0] <= view[0] && part[1] >= view[1] && part[1] - part[0] <= 2 * (view[1] - view[0]);
}
