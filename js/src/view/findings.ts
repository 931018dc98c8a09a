// What is wrong with the run, and what to do: above the explanation, the gravest first; of a healthy run nothing.
import { element, react, reconcile } from "../dom";
import type { Finding } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { createText, selectSpan, spanText } from "./caption";

export function createFindings(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const list = element("div", { class: "stack", "aria-live": "polite" });
  const former = new Map();
  react(signal, () => {
    const make = (finding: Finding) => createFinding(finding, store, state);
    reconcile(list, store.findings.value, ({ id }) => id, make, former);
  });
  return list;
}

function createFinding(finding: Finding, store: Store, state: State): HTMLElement {
  const span = spanText(finding.span, store);
  const advice = createText(finding.advice, [], store, state);
  advice.prepend(element("strong", {}, "What to do: "));
  const card = element(
    "article",
    { class: "card finding", "aria-label": `${finding.heading}, ${span}` },
    element("h3", {}, `⚠ ${finding.heading}`),
    element("button", { class: "span" }, span),
    createText(finding.text, finding.cites, store, state),
    advice,
  );
  selectSpan(card, finding.span, state);
  return card;
}
