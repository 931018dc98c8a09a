// What is wrong with the run, and what to do: above the explanation, the gravest first; of a healthy run nothing.
import { signal as remembered } from "@preact/signals-core";
import { element, react, reconcile, setText } from "../dom";
import { on } from "../listen";
import type { Finding } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { createCites, createText, lightSpan, spanText } from "./caption";

/** As many are open; the others unfold. */
const MOST = 2;

export function createFindings(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const open = remembered(false);
  const list = element("div", {
    class: "findings",
    role: "group",
    "aria-label": "what is wrong",
    "aria-live": "polite",
  });
  const more = element("button", { class: "more" });
  const node = element("div", {}, list);
  on(more, "click", () => {
    open.value = true;
    list.children[MOST]?.querySelector("button")?.focus();
  });
  const former = new Map();
  react(signal, () => {
    const found = store.findings.value;
    const shown = open.value ? found : found.slice(0, MOST);
    // While a run goes on its findings change places: they go by what they are about.
    reconcile(list, shown, keyOf, (finding) => createFinding(finding, store, state), former);
    node.hidden = found.length === 0;
    const left = found.length - shown.length;
    setText(more, `${left} more`);
    if (left > 0) node.append(more);
    else more.remove();
  });
  return node;
}

function keyOf({ kind, text }: Finding): string {
  return `${kind} ${text.map((part) => part.text).join("")}`;
}

function createFinding(finding: Finding, store: Store, state: State): HTMLElement {
  const { severity, span } = finding;
  const name = severity === "warning" ? "Warning" : "Caution";
  const place = element("button", { class: "span" }, spanText(span));
  const text = createText(finding.text);
  if (finding.cites.length > 0) text.append(" ", createCites(finding.cites, store, state));
  const card = element(
    "article",
    { class: "finding", "data-severity": severity, "aria-label": `${name}, ${spanText(span)}` },
    element("h3", {}, name),
    place,
    text,
    element("div", { class: "advice" }, element("b", {}, "What to do"), createText(finding.advice)),
  );
  lightSpan(card, span, state);
  on(card, "click", (event) => {
    if (event.target instanceof Element && event.target.closest(".cite")) return;
    state.select(span);
  });
  return card;
}
