// What the reader asked, answered above the box, in the place of the chapters' texts: a question, or a stretch to be
// explained. It stands at the iterations that it speaks of; × or Escape gives the chapters back.

import { endsOf } from "../chapters";
import { element, react, setText } from "../dom";
import type { Link } from "../link";
import { on } from "../listen";
import type { Caption, Span } from "../protocol";
import { cellsOf } from "../reasons-table";
import type { State } from "../state";
import type { Store } from "../store";
import { spanText } from "./caption";
import { createEvidence } from "./evidence";
import { say } from "./says";

const MOST_FOLLOWING = 3;

interface Asked {
  question: string;
  span: Span | null;
  answer: Caption | null;
}

export function createAnswer(
  store: Store,
  state: State,
  link: Link,
  box: HTMLElement,
  signal: AbortSignal,
): HTMLElement {
  const node = element("div", { class: "answer-box" });
  let shown = "";
  const close = () => {
    state.asked.value = null;
    box.focus();
  };
  on(node, "keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  react(signal, () => {
    const found = askedOf(store, state);
    node.hidden = !found;
    const now = JSON.stringify([found, store.suggestions.value.length]);
    if (now === shown) return;
    shown = now;
    if (!found) return node.replaceChildren();
    node.replaceChildren(createCard(found, store, state, link, close));
    if (!found.answer) return;
    stand(found.answer.span, store, state);
    const reasons = store.reasons.peek();
    if (reasons) state.litCells.value = cellsOf(reasons, found.answer.cites);
  });
  // What was to be explained has come to nothing: a notice says why.
  let known = store.captions.peek();
  react(signal, () => {
    state.asked.value;
    known = store.captions.peek();
  });
  react(signal, () => {
    const isStretch = state.asked.value !== null && typeof state.asked.value !== "number";
    if (!isStretch || store.captions.value === known || store.head.value.busy) return;
    if (!askedOf(store, state)?.answer) state.asked.value = null;
  });
  return node;
}

/** What is asked, with its answer where that is here; null where nothing is. */
export function askedOf(store: Store, state: State): Asked | null {
  const asked = state.asked.value;
  if (asked === null) return null;
  if (typeof asked === "number") {
    const found = store.questions.value.find(({ request }) => request === asked);
    return found ? { question: found.text, span: found.span, answer: found.answer } : null;
  }
  const answer = store.captions.value.findLast(
    ({ role, span }) => role === "asked" && span[0] === asked[0] && span[1] === asked[1],
  );
  return { question: `What happened in ${spanText(asked, store)}?`, span: asked, answer: answer ?? null };
}

/** The cursor goes to the end of the iterations that an answer is about, unless it is about all of them. */
function stand(span: Span, store: Store, state: State): void {
  const [first, last] = endsOf(store).map((row) => store.history.value("iteration", row)) as [number, number];
  if (span[0] <= first && span[1] >= last) return;
  if (span[1] >= first && span[0] <= last) state.moveTo(span[1]);
}

function createCard(asked: Asked, store: Store, state: State, link: Link, close: () => void): HTMLElement {
  const { question, answer } = asked;
  const x = element(
    "button",
    { class: "close", "aria-label": "close the answer", title: "close (Escape)" },
    "×",
  );
  on(x, "click", close);
  const head = element("div", { class: "answer-head" }, element("h3", { class: "question" }, question), x);
  const span = answer?.span ?? asked.span;
  const name = span ? `${question}, ${spanText(span, store)}` : question;
  if (!answer) {
    const wait = element("p", { class: "quiet writing" });
    const isStretch = typeof state.asked.peek() !== "number" && span;
    setText(wait, isStretch ? `explaining ${spanText(span, store)}…` : "asking…");
    return element("div", { class: "answer" }, head, wait);
  }
  const text = element("p", { class: "answer-text" }, ...say(answer.parts, store));
  const { cites, line } = answer;
  const evidence = createEvidence({ cites, line, span: answer.span }, store, state);
  if (evidence) text.append(evidence);
  const following = store.suggestions.value.filter((each) => each !== question).slice(0, MOST_FOLLOWING);
  const chips = following.map((each) => {
    const chip = element("button", { class: "chip" }, each);
    on(chip, "click", () => {
      state.asked.value = link.ask(each, null);
    });
    return chip;
  });
  const next =
    link.hasKernel.peek() && chips.length > 0 ? element("div", { class: "chips" }, ...chips) : null;
  return element("article", { class: "answer", "aria-label": name }, head, text, next);
}
