// The Facts tab: what was computed from the recording, each with its span and what it rests on.
import { element, react, reconcile } from "../dom";
import type { Fact } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { createCites, lightSpan, reveal, spanText } from "./caption";

export function createFacts(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const list = element("ol", { class: "facts" });
  const quiet = element("p", { class: "quiet" }, "No facts yet.");
  const panel = element("div", { class: "scroll" }, list, quiet);
  const former = new Map();
  react(signal, () => {
    reconcile(
      list,
      store.facts.value,
      ({ id }) => id,
      (fact) => createFact(fact, store, state),
      former,
    );
    quiet.hidden = store.facts.value.length > 0;
  });
  react(signal, () => {
    store.facts.value;
    const cited = state.cited.value;
    const open = state.tab.value === "Facts";
    for (const row of list.querySelectorAll<HTMLElement>("[data-id]")) {
      row.classList.toggle("cited", row.dataset.id === cited);
      if (open && row.dataset.id === cited) reveal(panel, row);
    }
  });
  return panel;
}

function createFact(fact: Fact, store: Store, state: State): HTMLElement {
  const span = element("button", { type: "button", class: "span" }, spanText(fact.span));
  span.addEventListener("click", () => {
    state.playing.value = false;
    state.moveTo(fact.span[0]);
    state.span.value = fact.span;
  });
  const row = element(
    "li",
    { class: "fact", "data-id": fact.id },
    element("span", { class: "id" }, fact.id),
    element("span", { class: "what" }, fact.text, " ", span, " ", createCites(fact.cites, store, state)),
  );
  lightSpan(row, fact.span, state);
  return row;
}
