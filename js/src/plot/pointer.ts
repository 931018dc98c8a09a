// The pointer on the plots: a click moves the cursor, a drag selects a span, a drag on the iteration axis moves
// along a zoomed run, the wheel zooms once the plots have the focus, a double click shows everything again.
// Over a mark in the lanes it tells the event; a click there opens it in the Events tab. A click on a name
// isolates it.
import { formatCount } from "../format";
import { on } from "../listen";
import type { RunEvent } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { pan, zoom } from "../zoom";
import type { Figure } from "./figure";
import { type EndLabel, labelAt } from "./labels";
import { eventAt } from "./lanes";

/** A movement shorter than this (pixels) is a click. */
const DRAG_THRESHOLD = 4;
/** How much a pixel of the wheel zooms; a line of a wheel that counts lines has this many pixels. */
const WHEEL = 0.0016;
const LINE = 16;

interface Drag {
  kind: "select" | "pan";
  startX: number;
  /** Iteration where it began; of a pan, the last place of the pointer. */
  anchor: number;
  moved: boolean;
}

export function followPointer(
  node: HTMLElement,
  figure: () => Figure | null,
  store: Store,
  state: State,
  signal: AbortSignal,
): void {
  let drag: Drag | null = null;

  const place = (event: MouseEvent) => {
    const { left, top } = node.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const perPixel = ({ axis, left, right }: Figure) => (axis.high - axis.low) / (right - left);
  const iterationAt = (event: MouseEvent): number | null => {
    const current = figure();
    if (!current) return null;
    const { low, high } = current.axis;
    const last = Math.min(store.history.lastIteration, high);
    const iteration = low + (place(event).x - current.left) * perPixel(current);
    return Math.round(Math.min(Math.max(iteration, low), last));
  };
  const markAt = (event: MouseEvent): RunEvent | null => {
    const current = figure();
    const { x, y } = place(event);
    return current && eventAt(current, store.events.peek(), x, y);
  };
  const nameAt = (event: MouseEvent): EndLabel | null => {
    const { x, y } = place(event);
    return labelAt(figure()?.labels ?? [], x, y);
  };
  const isOnAxis = (event: MouseEvent): boolean => {
    const current = figure();
    return current !== null && state.view.value !== null && place(event).y > current.bottom;
  };

  const listen = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
    passive = true,
  ) => on(node, type, listener, { signal, passive });

  listen("pointerdown", (event) => {
    const iteration = iterationAt(event);
    if (event.button !== 0 || iteration === null) return;
    const kind = isOnAxis(event) || (event.shiftKey && state.view.value) ? "pan" : "select";
    drag = { kind, startX: event.clientX, anchor: kind === "pan" ? event.clientX : iteration, moved: false };
    node.setPointerCapture(event.pointerId);
  });
  listen("pointermove", (event) => {
    if (!drag) {
      hover(event);
      return;
    }
    drag.moved ||= Math.abs(event.clientX - drag.startX) > DRAG_THRESHOLD;
    const current = figure();
    const iteration = iterationAt(event);
    if (!drag.moved || !current || iteration === null) return;
    if (drag.kind === "pan") {
      pan(store, state, (drag.anchor - event.clientX) * perPixel(current));
      drag.anchor = event.clientX;
    } else state.span.value = [Math.min(drag.anchor, iteration), Math.max(drag.anchor, iteration)];
  });
  listen("pointerup", (event) => {
    if (drag && !drag.moved) click(event);
    drag = null;
  });
  listen("pointercancel", () => {
    drag = null;
  });
  listen("dblclick", () => {
    if (state.view.value) state.view.value = null;
    else state.span.value = null;
  });
  listen(
    "wheel",
    (event) => {
      const current = figure();
      const iteration = iterationAt(event);
      // Without the focus, the wheel scrolls the notebook.
      if (!current || iteration === null || !node.matches(":focus")) return;
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE;
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      event.preventDefault();
      if (sideways) pan(store, state, (event.deltaX || event.deltaY) * unit * perPixel(current));
      else zoom(store, state, iteration, Math.exp(event.deltaY * unit * WHEEL));
    },
    false,
  );

  function hover(event: PointerEvent): void {
    const mark = markAt(event);
    const name = nameAt(event);
    if (mark) node.title = `${store.noun.peek()} ${formatCount(mark.evaluation)}: ${mark.text}`;
    else node.title = name ? `${name.text}: click to isolate` : "";
    node.classList.toggle("on-mark", mark !== null || name !== null);
    node.classList.toggle("on-axis", isOnAxis(event));
  }

  function click(event: PointerEvent): void {
    const name = nameAt(event);
    const iteration = iterationAt(event);
    if (name) state.isolate(name.name, event.shiftKey || event.ctrlKey || event.metaKey);
    if (name || iteration === null) return;
    state.playing.value = false;
    const mark = markAt(event);
    state.moveTo(mark?.evaluation ?? iteration);
    if (!mark) return;
    state.tab.value = "Events";
    state.cited.value = mark.id;
  }
}
