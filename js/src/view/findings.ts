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
  /** What the reader opened; null until then. */
  const open = createSignal<string | null>(null);
  const former = new Map();
  react(signal, () => {
    const findings = store.findings.value;
    // A warning comes before all else; beside a caution the headline is what matters.
    const atFirst = findings[0]?.heading === "Warning" ? findings[0].id : "";
    const shown = findings.some(({ id }) => id === open.value) ? open.value : atFirst;
    const title = saidInShort(store);
    const items = findings.map((finding, index) => ({
      finding,
      isOpen: finding.id === shown,
      title: index === 0 ? title : "",
    }));
    const make = (item: Item) =>
      createFinding(item, store, state, (id) => {
        open.value = id;
      });
    reconcile(list, items, ({ finding }) => finding.id, make, former);
    list.hidden = findings.length === 0;
  });
  return list;
}

/** The headline, where it says what the first finding says; else empty. */
export function saidInShort(store: Store): string {
  const headline = store.headline.value;
  return headline?.wrong && store.findings.value[0]?.heading === "Warning" ? headline.text : "";
}

interface Item {
  finding: Finding;
  isOpen: boolean;
  title: string;
}

function createFinding(
  { finding, isOpen, title }: Item,
  store: Store,
  state: State,
  unfold: (id: string) => void,
): HTMLElement {
  const span = spanText(finding.span, store);
  const [first, rest] = title ? [[], finding.text] : atSentence(finding.text);
  const head = element(
    "button",
    { class: "finding-head", "aria-expanded": isOpen },
    sign(finding),
    finding.heading,
    isOpen
      ? element("span", { class: "span" }, span)
      : element("span", { class: "folded-what" }, ...say(title ? finding.text : first, store)),
  );
  const what = element("h3", { class: "finding-what" }, ...(title ? [title] : say(first, store)));
  const why = element("p", { class: "finding-why" }, ...say(rest, store));
  const evidence = createEvidence({ cites: finding.cites, span: finding.span }, store, state);
  if (evidence) (rest.length > 0 ? why : what).append(evidence);
  why.hidden = rest.length === 0;
  const advice = element(
    "p",
    { class: "advice" },
    element("strong", {}, "What to do: "),
    ...say(finding.advice, store),
  );
  const more = element("div", {}, what, why, advice);
  more.hidden = !isOpen;
  const card = article(finding, span, head, more);
  card.classList.toggle("open", isOpen);
  lightSpan(card, finding.span, state);
  on(card, "click", () => {
    if (isOpen) state.select(finding.span);
    else unfold(finding.id);
  });
  return card;
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
