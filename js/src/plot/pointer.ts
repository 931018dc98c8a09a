// The pointer on the plots: a click moves the cursor, a drag selects a span, a double click clears it.
// Over a mark in the lanes it tells the event; a click there opens it in the Events tab.
import { formatCount } from "../format";
import type { RunEvent } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import type { Figure } from "./figure";
import { eventAt } from "./lanes";

/** A movement shorter than this (pixels) is a click. */
const DRAG_THRESHOLD = 4;

export function followPointer(
  node: HTMLElement,
  figure: () => Figure | null,
  store: Store,
  state: State,
  signal: AbortSignal,
): void {
  let startX: number | null = null;
  let dragging = false;

  const iterationAt = (event: PointerEvent): number | null => {
    const current = figure();
    if (!current) return null;
    const { low, high } = current.axis;
    const x = event.clientX - node.getBoundingClientRect().left;
    const share = (x - current.left) / (current.right - current.left);
    const last = current.iterations[current.iterations.length - 1] as number;
    return Math.round(Math.min(Math.max(low + share * (high - low), low), last));
  };

  const markAt = (event: PointerEvent): RunEvent | null => {
    const current = figure();
    if (!current) return null;
    const { left, top } = node.getBoundingClientRect();
    return eventAt(current, store.events.peek(), event.clientX - left, event.clientY - top);
  };

  const listen = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ) => node.addEventListener(type, listener, { signal });

  let anchor = 0;
  listen("pointerdown", (event) => {
    const iteration = iterationAt(event);
    if (event.button !== 0 || iteration === null) return;
    startX = event.clientX;
    anchor = iteration;
    dragging = false;
    node.setPointerCapture(event.pointerId);
  });
  listen("pointermove", (event) => {
    if (startX === null) {
      const mark = markAt(event);
      node.title = mark ? `iteration ${formatCount(mark.evaluation)}: ${mark.text}` : "";
      node.classList.toggle("on-mark", mark !== null);
      return;
    }
    dragging ||= Math.abs(event.clientX - startX) > DRAG_THRESHOLD;
    const iteration = iterationAt(event);
    if (!dragging || iteration === null) return;
    state.span.value = [Math.min(anchor, iteration), Math.max(anchor, iteration)];
  });
  listen("pointerup", (event) => {
    const iteration = iterationAt(event);
    if (startX !== null && !dragging && iteration !== null) {
      state.playing.value = false;
      const mark = markAt(event);
      state.moveTo(mark?.evaluation ?? iteration);
      if (mark) {
        state.tab.value = "Events";
        state.cited.value = mark.id;
      }
    }
    startX = null;
  });
  listen("pointercancel", () => {
    startX = null;
  });
  listen("dblclick", () => {
    state.span.value = null;
  });
}
