// One set of keys for the slider and the plots: arrows step, Shift+arrow and Page jump ten, Home and End go to the
// ends of the fit that is told of, pressed again to those of the run, Space plays, + and − zoom around the cursor, 0 shows the whole run again.

import { storyOf } from "../fits";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { zoom } from "../zoom";

const JUMP = 10;

export function onKeys(nodes: HTMLElement[], store: Store, state: State, signal: AbortSignal): void {
  const listener = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !act(event.key, event.shiftKey, store, state))
      return;
    event.preventDefault();
    event.stopPropagation();
  };
  for (const node of nodes) on(node, "keydown", listener, { signal });
}

/** Whether the key means something here. */
function act(key: string, shift: boolean, store: Store, state: State): boolean {
  if (key === " ") {
    state.playing.value = !state.playing.value;
    return true;
  }
  const factor = { "+": 0.5, "=": 0.5, "-": 2, "−": 2 }[key];
  if (factor !== undefined) {
    zoom(store, state, state.iteration.value, factor);
    return true;
  }
  if (key === "0") {
    state.view.value = null;
    return true;
  }
  if (key === "Escape" && state.span.value) {
    state.span.value = null;
    return true;
  }
  const move = {
    ArrowRight: () => state.step(shift ? JUMP : 1),
    ArrowUp: () => state.step(shift ? JUMP : 1),
    ArrowLeft: () => state.step(shift ? -JUMP : -1),
    ArrowDown: () => state.step(shift ? -JUMP : -1),
    PageUp: () => state.step(JUMP),
    PageDown: () => state.step(-JUMP),
    Home: () => state.moveToRow(state.row.value === storyOf(store).from ? 0 : storyOf(store).from),
    End: () => {
      const last = storyOf(store).to - 1;
      if (store.head.value.status === "running") state.follow();
      else state.moveToRow(state.row.value === last ? store.history.rows - 1 : last);
    },
  }[key];
  if (!move) return false;
  state.playing.value = false;
  move();
  return true;
}
