// Beside the scene: what is wrong, the headline, the chapters or an answer in their place, and the question box. It
// scrolls in itself: what stands around it keeps its place.
import { element, react } from "../dom";
import type { Link } from "../link";
import type { State } from "../state";
import type { Store } from "../store";
import { askedOf, createAnswer } from "./answer";
import { createAsk } from "./ask";
import { createChapters } from "./chapters";
import { createFindings } from "./findings";
import { createHeadline } from "./headline";

export function createReading(store: Store, state: State, link: Link, signal: AbortSignal): HTMLElement {
  const scroll = element("div", {
    class: "texts",
    role: "group",
    "aria-label": "explanation",
    tabindex: "0",
  });
  const ask = createAsk(store, state, link, signal);
  const provisional = element("p", { class: "provisional" });
  scroll.append(
    createFindings(store, state, signal),
    createHeadline(store, state, signal),
    createChapters(store, state, scroll, signal),
    provisional,
  );
  const answer = createAnswer(store, state, link, ask.box, signal);
  const node = element("div", { class: "reading" }, scroll, answer, ask.node);
  react(signal, () => {
    const asking = askedOf(store, state) !== null;
    if (asking && !node.classList.contains("asking")) scroll.scrollTop = 0;
    node.classList.toggle("asking", asking);
  });
  react(signal, () => {
    store.version.value;
    const { status } = store.head.value;
    provisional.hidden = status !== "running" || store.history.rows === 0;
    provisional.textContent =
      store.captions.value.length > 0
        ? "The next chapter is named when the run changes its pace. What stands here may still be corrected."
        : "The explanation appears here, chapter by chapter.";
  });
  return node;
}
