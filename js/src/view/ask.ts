// The question box. It asks about the selected span, or about the whole run.
import { element, react } from "../dom";
import type { Link } from "../link";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { spanText } from "./caption";

export interface Ask {
  node: HTMLElement;
  box: HTMLInputElement;
}

export function createAsk(store: Store, state: State, link: Link, signal: AbortSignal): Ask {
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
    if (event.key === "Escape" && state.asked.value !== null) {
      state.asked.value = null;
      event.stopPropagation();
    }
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  on(form, "submit", (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question || box.disabled) return;
    state.asked.value = link.ask(question, state.span.value);
    box.value = "";
  });
  react(signal, () => {
    const span = state.span.value;
    form.hidden = store.head.value.compared;
    const possible = link.hasKernel.value;
    box.disabled = button.disabled = !possible;
    form.classList.toggle("disabled", !possible);
    form.title = possible ? "" : "No kernel answers behind this view, so questions cannot be answered.";
    const [suggested = "Why did the loss stop falling?"] = store.suggestions.value;
    if (!possible) box.placeholder = "Questions need a running kernel";
    else if (span) box.placeholder = `Ask about ${spanText(span, store)}, e.g. “What changed here?”`;
    else if (store.head.value.status === "running")
      box.placeholder = "Ask now; answered when the cell has ended";
    else box.placeholder = `Ask, e.g. “${suggested}”`;
  });
  return { node: form, box };
}
