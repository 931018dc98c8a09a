// Moves the cursor with the clock while playing: over the selected stretch, or to the end of what is told of; starts
// over when it stands there. Where motion is not wanted, chapter by chapter.
import { chaptersOf, endsOf } from "../chapters";
import { react } from "../dom";
import { atEnd } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";

/** A short run plays this many iterations a second, a long one takes this many seconds. */
const ITERATIONS_PER_SECOND = 8;
const LONGEST_SECONDS = 12;
/** Between two chapters (ms). */
const STEP = 2000;

export function runPlayback(store: Store, state: State, signal: AbortSignal): void {
  let request = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    cancelAnimationFrame(request);
    clearTimeout(timer);
  };
  const range = () => {
    const [first, last] = endsOf(store).map((row) => store.history.value("iteration", row)) as [
      number,
      number,
    ];
    const span = state.span.peek();
    return span && span[1] > span[0] ? span : ([first, last] as const);
  };
  react(signal, () => {
    stop();
    if (!state.playing.value) return;
    const [first, last] = range();
    const at = state.iteration.peek();
    if (at >= last || at < first) state.moveTo(first);
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return steps();
    let position = state.iteration.peek();
    let former = performance.now();
    const tick = (now: number) => {
      // By iterations, of which some may have no row.
      const [from, to] = range();
      const rate = Math.max(ITERATIONS_PER_SECOND, (to - from) / LONGEST_SECONDS);
      position = Math.min(position + ((now - former) / 1000) * rate, to);
      former = now;
      const row = store.history.rowAt(position);
      if (row !== state.row.peek()) state.moveToRow(row);
      if (position >= to) state.playing.value = false;
      else request = requestAnimationFrame(tick);
    };
    request = requestAnimationFrame(tick);
  });

  function steps(): void {
    const [, last] = range();
    const ends = [...chaptersOf(store).map(({ span }) => span[1]), last];
    const next = ends.find((end) => end > state.iteration.peek());
    if (next === undefined || next > last) {
      state.playing.value = false;
      return;
    }
    timer = setTimeout(() => {
      state.moveTo(next);
      steps();
    }, STEP);
  }
  atEnd(signal, stop);
}
