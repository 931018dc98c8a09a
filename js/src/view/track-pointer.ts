// The pointer on the track: a press or a drag moves the cursor, with Shift a drag selects a stretch; a press on the name of a
// chapter selects that one; a double click shows the whole run again.
import { chaptersOf } from "../chapters";
import { on } from "../listen";
import type { Track } from "../plot/track";
import type { State } from "../state";
import type { Store } from "../store";

export function followTrackPointer(
  plot: HTMLElement,
  knob: HTMLElement,
  track: () => Track | null,
  store: Store,
  state: State,
  signal: AbortSignal,
): void {
  /** Where a selection began; null while the cursor is dragged. */
  let anchor: number | null = null;
  let isDown = false;
  const iterationAt = ({ clientX }: PointerEvent): number => {
    const { axis, sheet } = track() as Track;
    const share = (clientX - plot.getBoundingClientRect().left - sheet.left) / (sheet.right - sheet.left);
    const last = Math.min(store.history.lastIteration, axis.high);
    return Math.round(Math.min(Math.max(axis.low + share * (axis.high - axis.low), axis.low), last));
  };
  const follow = (event: PointerEvent) => {
    const iteration = iterationAt(event);
    if (anchor === null) state.moveTo(iteration);
    else state.span.value = [Math.min(anchor, iteration), Math.max(anchor, iteration)];
  };
  on(
    plot,
    "pointerdown",
    (event) => {
      if (event.button !== 0 || !track() || store.history.rows === 0) return;
      state.playing.value = false;
      const name = event.target instanceof Element ? event.target.closest(".band-name") : null;
      const place = name ? [...plot.querySelectorAll(".band-name")].indexOf(name) : -1;
      const chapter = chaptersOf(store)[place];
      event.preventDefault();
      knob.focus({ preventScroll: true });
      if (chapter) return state.select(chapter.span, true);
      isDown = true;
      anchor = event.shiftKey ? iterationAt(event) : null;
      plot.setPointerCapture(event.pointerId);
      if (anchor === null) follow(event);
    },
    { signal },
  );
  on(plot, "pointermove", (event) => isDown && track() && follow(event), { signal });
  for (const type of ["pointerup", "pointercancel"] as const) {
    on(
      plot,
      type,
      () => {
        isDown = false;
      },
      { signal },
    );
  }
  on(
    plot,
    "dblclick",
    () => {
      if (state.view.value) state.view.value = null;
      else state.span.value = null;
    },
    { signal },
  );
  // The host's own context menu would cover the track; the browser's stays.
  on(plot, "contextmenu", (event) => event.stopPropagation(), { signal });
}
