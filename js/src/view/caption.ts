// One caption as a card, and the small buttons that cite events and facts. Names and texts come from the
// reader's program or from a language model: they become text nodes, never HTML.
import { element } from "../dom";
import { storyOf } from "../fits";
import { formatCount } from "../format";
import { on } from "../listen";
import type { Caption, Part, Span } from "../protocol";
import { covers, type State } from "../state";
import type { Store } from "../store";
import { createDetails, createEnglish } from "./details";
import { say } from "./says";

export function spanText([first, last]: Span, { noun }: Store): string {
  return first === last
    ? `${noun.value} ${formatCount(first)}`
    : `${noun.value}s ${formatCount(first)}–${formatCount(last)}`;
}

/** Names for captions by what they are about and where they begin: their numbers and ends change while a run goes on. */
export function keysOf(captions: readonly Caption[]): Map<Caption, string> {
  const times = new Map<string, number>();
  const keys = new Map<Caption, string>();
  for (const caption of captions) {
    const about = `${caption.heading} ${caption.span[0]}`;
    const time = (times.get(about) ?? 0) + 1;
    times.set(about, time);
    keys.set(caption, `${about} ${time}`);
  }
  return keys;
}

/** `key` is what the card goes by while captions are rewritten and change places. */
export function createCaptionCard(
  caption: Caption,
  key: string,
  store: Store,
  state: State,
  heading = caption.heading,
): HTMLElement {
  const span = element("button", { class: "span" }, spanText(caption.span, store));
  const text = createText(caption.parts, caption.cites, store, state);
  const card = element(
    "article",
    { class: "card", "aria-label": `${heading}, ${spanText(caption.span, store)}` },
    element("h3", {}, heading),
    span,
    text,
    ...[
      createEnglish(caption, key, state),
      ...createDetails(caption, key, state, (ids) => createCites(ids, store, state)),
    ].filter((part) => part !== null),
  );
  card.classList.toggle("writing", caption.writing);
  card.dataset.first = String(caption.span[0]);
  card.dataset.last = String(caption.span[1]);
  selectSpan(card, caption.span, state);
  return card;
}

/** A text, its names with their colours, and what it rests on. */
export function createText(
  parts: readonly Part[],
  cites: readonly string[],
  store: Store,
  state: State,
): HTMLElement {
  const text = element("p", { class: "text" }, ...say(parts, store));
  if (cites.length > 0) text.append(" ", createCites(cites, store, state));
  return text;
}

/** A card lights its span while the pointer or the focus is on it, and selects it when it is pressed. */
export function selectSpan(card: HTMLElement, span: Span, state: State): void {
  lightSpan(card, span, state);
  on(card, "click", (event) => {
    if (event.target instanceof Element && event.target.closest(".cite, .line, .details, .english")) return;
    state.select(span);
  });
}

/** While the pointer or the focus is on a node, its span is lit in the plots. */
export function lightSpan(node: HTMLElement, span: Span, state: State): void {
  const light = () => {
    state.lit.value = span;
  };
  const darken = () => {
    state.lit.value = null;
  };
  on(node, "pointerenter", light);
  on(node, "pointerleave", darken);
  on(node, "focusin", light);
  on(node, "focusout", darken);
}

/** Marks the cards whose span covers the cursor; those about all that is told of are always true and stay calm. */
export function markCurrent(cards: Iterable<HTMLElement>, store: Store, iteration: number): void {
  const { from, to } = storyOf(store);
  const first = store.history.value("iteration", from);
  const last = store.history.value("iteration", to - 1);
  for (const card of cards) {
    const span: Span = [Number(card.dataset.first), Number(card.dataset.last)];
    const whole = span[0] <= first && span[1] >= last;
    card.classList.toggle("current", !whole && covers(span, iteration));
  }
}

export function createCites(ids: readonly string[], store: Store, state: State): HTMLElement {
  const group = element("span", { class: "cites" });
  for (const id of ids) {
    const button = element("button", { class: "cite" }, id);
    const fact = store.facts.peek().find((candidate) => candidate.id === id);
    const event = store.events.peek().find((candidate) => candidate.id === id);
    button.title = fact?.text ?? event?.text ?? "";
    if (fact) lightSpan(button, fact.span, state);
    else if (event) lightSpan(button, [event.evaluation, event.evaluation], state);
    on(button, "click", () => openCited(id, store, state));
    group.append(button);
  }
  return group;
}

/** F1 opens the facts; e31 moves the cursor to that event and opens the events. Both are highlighted. */
export function openCited(id: string, store: Store, state: State): void {
  const event = store.events.peek().find((candidate) => candidate.id === id);
  state.playing.value = false;
  if (event) state.moveTo(event.evaluation);
  // Cleared first, so that citing the same one again scrolls to it again.
  state.details.value = true;
  state.cited.value = "";
  state.tab.value = event ? "Events" : "Facts";
  state.cited.value = id;
}

/** Scrolls a panel, and only the panel, so that a node in it is seen. */
export function reveal(panel: HTMLElement, node: HTMLElement): void {
  const box = panel.getBoundingClientRect();
  const place = node.getBoundingClientRect();
  if (place.top < box.top || place.bottom > box.bottom) {
    panel.scrollTop += place.top - box.top - (box.height - place.height) / 2;
  }
}
