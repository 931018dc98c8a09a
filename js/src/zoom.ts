// Which part of the run the plots show: zoomed around an iteration, moved along, all of it again. No DOM.
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
