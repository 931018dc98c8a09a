// The Stop button of a run that goes on: interrupts it where the host allows that, and says what to press elsewhere.
import { element, react, setText } from "../dom";
import type { Link } from "../link";
import type { Store } from "../store";
import { createPopup } from "./popup";

const BY_HAND =
  "Press ■ in the notebook’s toolbar or beside the cell; in Jupyter, outside of a cell, the key I twice does the same.";
const KEPT = " What has been recorded is kept.";

export function createStop(store: Store, link: Link, signal: AbortSignal): HTMLElement {
  const note = element("p", { "aria-live": "polite" });
  const popup = createPopup("Stop", "stop", signal, () => {
    setText(note, (link.interrupt ? "The run is being stopped." : BY_HAND) + KEPT);
    link.interrupt?.().catch(() => setText(note, BY_HAND + KEPT));
  });
  popup.sheet.append(note);
  react(signal, () => {
    popup.node.hidden = store.head.value.status !== "running" || !link.hasKernel.value;
  });
  return popup.node;
}
