// The Facts tab: what was computed from the recording, by the question that it answers; each fact with its
// span and what it rests on.
import { element, react, reconcile } from "../dom";
import { on } from "../listen";
import type { Fact, FactGroup } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { createCites, lightSpan, reveal, spanText } from "./caption";

const OTHER = "What else?";

export function createFacts(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const list = element("div");
  const quiet = element("p", { class: "quiet" }, "No facts yet.");
  const panel = element("div", { class: "scroll" }, list, quiet);
  const formerGroups = new Map();
  const formerFacts = new Map<string, Map<string, { content: string; node: HTMLElement }>>();
  react(signal, () => {
    const groups = groupFacts(store.facts.value, store.factGroups.value);
    const questions = groups.map(([question]) => question);
    reconcile(list, questions, (question) => question, createGroup, formerGroups);
    for (const [index, [question, facts]] of groups.entries()) {
      const former = formerFacts.get(question) ?? new Map();
      formerFacts.set(question, former);
      const place = list.children[index]?.lastElementChild;
      const make = (fact: Fact) => createFact(fact, store, state);
      if (place) reconcile(place, facts, ({ id }) => id, make, former);
    }
    for (const question of formerFacts.keys()) {
      if (!questions.includes(question)) formerFacts.delete(question);
    }
    quiet.hidden = groups.length > 0;
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

/** The facts of each question that has any, in their own order; those of a kind that answers none come last. */
function groupFacts(
  facts: readonly Fact[],
  questions: readonly FactGroup[],
): [question: string, facts: Fact[]][] {
  const known = new Set(questions.flatMap(({ kinds }) => kinds));
  const groups = questions.map(({ question, kinds }): [string, Fact[]] => [
    question,
    facts.filter(({ kind }) => kinds.includes(kind)),
  ]);
  groups.push([OTHER, facts.filter(({ kind }) => !known.has(kind))]);
  return groups.filter(([, members]) => members.length > 0);
}

function createGroup(question: string): HTMLElement {
  return element(
    "section",
    { class: "fact-group" },
    element("h3", { class: "hint" }, question),
    element("ol", { class: "facts" }),
  );
}

function createFact(fact: Fact, store: Store, state: State): HTMLElement {
  const span = element("button", { class: "span" }, spanText(fact.span, store));
  const row = element(
    "li",
    { class: "fact", "data-id": fact.id },
    element("span", { class: "id" }, fact.id),
    element("span", { class: "what" }, fact.text, " ", span, " ", createCites(fact.cites, store, state)),
  );
  on(row, "click", ({ target }) => {
    if (target instanceof Element && target.closest(".cite")) return;
    state.select(fact.span);
  });
  lightSpan(row, fact.span, state);
  return row;
}
