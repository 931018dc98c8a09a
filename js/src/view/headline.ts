// The headline: what the run comes to, in one sentence, and a line beneath that says how.
import { element, react } from "../dom";
import type { State } from "../state";
import type { Store } from "../store";
import { spanText } from "./caption";
import { createEvidence } from "./evidence";
import { saidInShort } from "./findings";
import { say } from "./says";

export function createHeadline(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const text = element("h3", { class: "headline-text" });
  const beneath = element("p", { class: "beneath" });
  const node = element("article", { class: "headline" }, text, beneath);
  let shown = "";
  react(signal, () => {
    store.series.value;
    const headline = store.headline.value;
    const { status } = store.head.value;
    node.hidden =
      saidInShort(store) !== "" || (!headline && (status !== "running" || store.captions.value.length > 0));
    store.version.value;
    const words =
      headline?.text ?? (store.history.rows > 0 ? "Too early to tell" : "Waiting for the first gradient");
    const now = JSON.stringify([words, headline?.beneath, headline?.cites, store.series.value.length]);
    if (now === shown) return;
    shown = now;
    text.textContent = words;
    node.setAttribute("aria-label", headline ? `${words}, ${spanText(headline.span, store)}` : words);
    beneath.replaceChildren(...say(headline?.beneath ?? [], store));
    const evidence = headline && createEvidence(headline, store, state);
    const place = headline?.beneath.length ? beneath : text;
    if (evidence) place.append(evidence);
    beneath.hidden = !headline?.beneath.length;
  });
  return node;
}
