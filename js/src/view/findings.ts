// What is wrong with the run, and what to do: first in the text, tinted, by a word and a sign beside the colour. The
// gravest is open, the others are a line each; of a healthy run there is nothing.
import { signal as createSignal } from "@preact/signals-core";
import { element, react, reconcile } from "../dom";
import { on } from "../listen";
import type { Finding, Part } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { lightSpan, spanText } from "./caption";
import { createEvidence } from "./evidence";
import { say } from "./says";

export function createFindings(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const list = element("div", { class: "findings", "aria-live": "polite" });
  const open = createSignal("");
  const former = new Map();
  react(signal, () => {
    const findings = store.findings.value;
    const shown = findings.some(({ id }) => id === open.value) ? open.value : findings[0]?.id;
    const make = ({ finding, isOpen }: { finding: Finding; isOpen: boolean }) =>
      isOpen
        ? createOpen(finding, store, state)
        : createFolded(finding, store, () => {
            open.value = finding.id;
          });
    reconcile(
      list,
      findings.map((finding) => ({ finding, isOpen: finding.id === shown })),
      ({ finding }) => finding.id,
      make,
      former,
    );
    list.hidden = findings.length === 0;
  });
  return list;
}

function createOpen(finding: Finding, store: Store, state: State): HTMLElement {
  const span = spanText(finding.span, store);
  const [what, why] = atSentence(finding.text);
  const head = element(
    "button",
    { class: "finding-head" },
    sign(finding),
    ` ${finding.heading} `,
    element("span", { class: "span" }, span),
  );
  const title = element("h3", { class: "finding-what" }, ...say(what, store));
  const text = element("p", { class: "finding-why" }, ...say(why, store));
  const evidence = createEvidence({ cites: finding.cites, span: finding.span }, store, state);
  if (evidence) (why.length > 0 ? text : title).append("\u00a0", evidence);
  const advice = element(
    "p",
    { class: "advice" },
    element("strong", {}, "What to do: "),
    ...say(finding.advice, store),
  );
  const card = article(finding, span, head, title, text, advice);
  text.hidden = why.length === 0;
  lightSpan(card, finding.span, state);
  on(card, "click", () => state.select(finding.span));
  return card;
}

function createFolded(finding: Finding, store: Store, unfold: () => void): HTMLElement {
  const [what] = atSentence(finding.text);
  const words = element("span", { class: "folded-what" }, ...say(what, store));
  const button = element(
    "button",
    { class: "finding-head", "aria-expanded": false },
    sign(finding),
    ` ${finding.heading}: `,
    words,
  );
  on(button, "click", unfold);
  return article(finding, spanText(finding.span, store), button);
}

function article(finding: Finding, span: string, ...children: HTMLElement[]): HTMLElement {
  return element(
    "article",
    {
      class: "finding",
      "aria-label": `${finding.heading}, ${span}`,
      "data-tone": finding.heading.toLowerCase(),
    },
    ...children,
  );
}

function sign({ heading }: Finding): HTMLElement {
  return element("span", { class: "sign", "aria-hidden": "true" }, heading === "Warning" ? "!" : "i");
}

/** A text's first sentence, and the rest. */
export function atSentence(parts: readonly Part[]): [first: Part[], rest: Part[]] {
  const first: Part[] = [];
  for (const [index, part] of parts.entries()) {
    const end = /[.:] (?=[^a-z\d])/u.exec(part.text);
    if (!end || part.kind !== "text") {
      first.push(part);
      continue;
    }
    const at = end.index + 1;
    first.push({ ...part, text: part.text.slice(0, at) });
    return [first, [{ ...part, text: part.text.slice(at + 1) }, ...parts.slice(index + 1)]];
  }
  return [first, []];
}
