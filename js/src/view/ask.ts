// The question box. It asks about the selected span, or about the whole run.
import { element, react } from "../dom";
import type { Link } from "../link";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { spanText } from "./caption";

export function createAsk(store: Store, state: State, link: Link, signal: AbortSignal): HTMLElement {
  const box = element("input", {
    type: "text",
    "aria-label": "Ask about this run",
    autocomplete: "off",
    maxlength: 500,
  });
  const button = element("button", { type: "submit", "aria-label": "ask", title: "ask (Enter)" }, "↵");
  const form = element("form", { class: "ask" }, box, button);

  // JupyterLab keeps the browser from submitting on Enter, so the box does it itself.
  on(box, "keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  on(form, "submit", (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question || box.disabled) return;
    link.ask(question, state.span.value);
    box.value = "";
    state.tab.value = "Explanation";
  });
  react(signal, () => {
    const span = state.span.value;
    form.hidden = store.head.value.compared;
    const possible = link.hasKernel.value;
    box.disabled = button.disabled = !possible;
    form.classList.toggle("disabled", !possible);
    form.title = possible ? "" : "No kernel answers behind this view, so questions cannot be answered.";
    if (!possible) box.placeholder = "Questions need a running kernel";
    else if (span) box.placeholder = `Ask about ${spanText(span, store)}, e.g. “what changed here?”`;
    else if (store.head.value.status === "running")
      box.placeholder = "Ask about this run (answered when the cell ends)";
    else box.placeholder = "Ask about this run, e.g. “why did the loss stop falling?”";
  });
  return form;
}
