// Below the track, once something is selected or zoomed: the buttons that have it explained, zoom to it and back.
import { element, react } from "../dom";
import type { Link } from "../link";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { show } from "../zoom";
import { spanText } from "./caption";

export function createZoomBar(store: Store, state: State, link: Link, signal: AbortSignal): HTMLElement {
  const shown = element("span", { class: "hint" });
  const explain = element("button", { class: "action" });
  const into = element("button", { class: "action" });
  const back = element("button", { class: "action", title: "key 0" }, "Show the whole run");
  const clear = element("button", { class: "action", title: "key Escape" }, "Clear the selection");
  on(explain, "click", () => {
    const span = state.span.value;
    if (!span) return;
    link.explain(span);
    state.asked.value = span;
  });
  on(into, "click", () => {
    const span = state.span.value;
    if (span) show(store, state, span[0], span[1]);
  });
  on(back, "click", () => {
    state.view.value = null;
  });
  on(clear, "click", () => {
    state.span.value = null;
  });
  react(signal, () => {
    const span = state.span.value;
    const view = state.view.value;
    const same = span && view && Math.abs(span[0] - view[0]) < 1 && Math.abs(span[1] - view[1]) < 1;
    const { compared, status } = store.head.value;
    explain.textContent = `Explain these ${store.noun.value}s`;
    explain.hidden = !span || !link.hasKernel.value || compared || status === "running";
    into.hidden = !span || span[1] <= span[0] || Boolean(same);
    into.textContent = span ? `Zoom to ${spanText(span, store)}` : "";
    clear.hidden = !span;
    back.hidden = !view;
    shown.hidden = !view;
    shown.textContent = view ? `${spanText([Math.ceil(view[0]), Math.floor(view[1])], store)} shown` : "";
  });
  return element("div", { class: "zoom-bar" }, shown, back, explain, into, clear);
}
