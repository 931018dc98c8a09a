// The Explanation tab: the reader's questions with their answers, and all captions in full, with who worded them.
import { element, react, reconcile, setText } from "../dom";
import type { Caption } from "../protocol";
import type { State } from "../state";
import type { Question, Store } from "../store";
import { createCaptionCard, keysOf, markCurrent, spanText } from "./caption";

export function createExplanation(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const questions = element("div", { class: "stack" });
  const captions = element("div", { class: "stack" });
  const quiet = element("p", { class: "quiet" });
  const panel = element("div", { class: "scroll" }, questions, captions, quiet);

  const formerQuestions = new Map();
  react(signal, () => {
    const make = (question: Question) => createQuestion(question, store, state);
    reconcile(questions, store.questions.value, ({ request }) => String(request), make, formerQuestions);
  });

  const formerCaptions = new Map();
  react(signal, () => {
    const keys = keysOf(store.captions.value);
    const keyOf = (caption: Caption) => keys.get(caption) as string;
    const make = (caption: Caption) => createCaptionCard(caption, keyOf(caption), store, state);
    reconcile(captions, store.captions.value, keyOf, make, formerCaptions);
    // A card that was replaced under the pointer never says that the pointer has left.
    state.lit.value = null;
  });
  react(signal, () => {
    quiet.hidden = store.captions.value.length > 0;
    setText(quiet, quietText(store));
  });

  react(signal, () => {
    store.version.value;
    store.captions.value;
    store.questions.value;
    markCurrent(panel.querySelectorAll<HTMLElement>(".card"), store, state.iteration.value);
  });
  return panel;
}

function quietText(store: Store): string {
  const { status, busy } = store.head.value;
  if (store.problem.value) return "";
  if (status === "running") return "The explanation appears here, phase by phase.";
  return busy ? "The explanation is being written…" : "There is nothing to explain.";
}

function createQuestion(question: Question, store: Store, state: State): HTMLElement {
  const { text, span, answer } = question;
  if (answer) {
    const card = createCaptionCard(answer, answer.id, store, state, text);
    card.classList.add("answer");
    return card;
  }
  return element(
    "div",
    { class: "card answer" },
    element("h3", {}, text),
    span ? element("span", { class: "span" }, spanText(span, store)) : null,
    element("p", { class: "quiet writing" }, "asking…"),
  );
}
