// The chapters beside the scene: the one with the cursor is open, the others say one sentence. A press moves the
// cursor to the chapter's end and selects it.
import { signal as createSignal } from "@preact/signals-core";
import { chapterAt, chaptersOf, titleOf } from "../chapters";
import { element, react, reconcile, setAttributes } from "../dom";
import { formatCount, formatPair, formatWithUnit } from "../format";
import { atEnd, on } from "../listen";
import type { Caption } from "../protocol";
import { factsOf } from "../reasons-table";
import { FOLLOW, type State } from "../state";
import type { Store } from "../store";
import { keysOf, lightSpan, spanText } from "./caption";
import { createEvidence } from "./evidence";
import { say } from "./says";

/** While the run plays, the list changes at most once in this time (ms). */
const INTERVAL = 1000;
/** What is at the lower edge fades over this height (pixels). */
const FADE = 14;
/** Of a chapter that is opened, at least this much is seen (pixels): its title and a line. */
const GLIMPSE = 44;
/** Of more chapters only the open one and its neighbours are seen. */
const MOST = 4;

interface Item {
  caption: Caption;
  title: string;
  number: number;
  change: string;
  open: boolean;
}

export function createChapters(
  store: Store,
  state: State,
  scroll: HTMLElement,
  signal: AbortSignal,
): HTMLElement {
  const list = element("ol", { class: "chapters" });
  const more = element("button", { class: "action more-chapters" });
  const node = element("div", { class: "chapter-box" }, list, more);
  const open = createSignal(-1);
  const all = createSignal(false);
  followCursor(store, state, open, signal);
  on(more, "click", () => {
    all.value = true;
    list.querySelector("button")?.focus();
  });

  const former = new Map();
  let before = -1;
  react(signal, () => {
    store.version.value;
    const chapters = chaptersOf(store);
    const keys = keysOf(chapters);
    const at = open.value;
    const items = chapters.map((caption, index) => ({
      caption,
      title: titleOf(caption, store),
      number: chapters.length > 1 ? index + 1 : 0,
      change: changeOver(caption, store),
      open: index === at || chapters.length === 1,
    }));
    const seen = items.filter(
      (_, index) => all.value || items.length <= MOST || Math.abs(index - Math.max(at, 0)) <= 1,
    );
    more.hidden = seen.length === items.length;
    more.textContent = `${formatCount(items.length - seen.length)} more chapters`;
    const make = (item: Item) => createChapter(item, store, state);
    reconcile(list, seen, ({ caption }) => keys.get(caption) as string, make, former);
    const shown = list.querySelector<HTMLElement>(".open");
    // What the reader has not moved to stays where it is.
    if (shown && at !== before && state.cursor.peek() !== FOLLOW) bringIntoSight(scroll, shown);
    before = at;
    state.lit.value = null;
  });
  // A cell of the reasons that is pressed shows where it is told of.
  react(signal, () => {
    const [cell, reasons] = [state.pressed.value, store.reasons.value];
    const ids = cell && reasons ? factsOf(reasons, cell) : [];
    store.captions.value;
    open.value;
    for (const article of list.querySelectorAll<HTMLElement>(".chapter")) {
      const cites = article.dataset.cites?.split(" ") ?? [];
      article.classList.toggle(
        "told",
        ids.some((id) => cites.includes(id)),
      );
    }
  });
  return node;
}

/** Scrolls as little as shows where a chapter begins: the headline stays in sight as far as there is room. */
function bringIntoSight(scroll: HTMLElement, chapter: HTMLElement): void {
  const top = chapter.getBoundingClientRect().top - scroll.getBoundingClientRect().top + scroll.scrollTop;
  const bottom = top + Math.min(chapter.offsetHeight, GLIMPSE) + FADE;
  scroll.scrollTop = Math.min(top, Math.max(0, bottom - scroll.clientHeight));
}

function followCursor(store: Store, state: State, open: { value: number }, signal: AbortSignal): void {
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    timer = undefined;
    last = performance.now();
    open.value = chapterAt(chaptersOf(store), state.iteration.peek());
  };
  react(signal, () => {
    chaptersOf(store);
    state.iteration.value;
    const wait = state.playing.value ? last + INTERVAL - performance.now() : 0;
    clearTimeout(timer);
    timer = undefined;
    if (wait <= 0) look();
    else timer = setTimeout(look, wait);
  });
  atEnd(signal, () => clearTimeout(timer));
}

/** What became of the loss: its change, or both ends where these are far apart. */
function changeOver({ span }: Caption, store: Store): string {
  const { history, head } = store;
  const { compared, loss_unit: unit } = head.value;
  if (compared || history.rows === 0) return "";
  const [start, end] = span.map((iteration) => history.value("loss", history.nearestRow(iteration))) as [
    number,
    number,
  ];
  if (!Number.isFinite(start) || !Number.isFinite(end) || start === end) return "";
  const [least, most] = [Math.min(start, end), Math.max(start, end)];
  if (least > 0 && most / least > 10) return formatPair(start, end, unit).join(" → ");
  const change = formatWithUnit(end - start, unit);
  return end > start ? `+${change}` : change;
}

function createChapter(
  { caption, title, number, change, open }: Item,
  store: Store,
  state: State,
): HTMLElement {
  const span = spanText(caption.span, store);
  const head = element(
    "button",
    { class: "chapter-head", "aria-expanded": open },
    element("span", { class: "chapter-number" }, number > 0 ? String(number) : ""),
    element("span", { class: "chapter-title" }, title),
    element("span", { class: "chapter-span" }, span.replace(/^\D+/, "")),
    element("span", { class: "chapter-change" }, change),
  );
  const parts = open ? caption.parts : caption.short;
  const { cites, line } = caption;
  const text = element("p", { class: "chapter-text" }, ...say(parts, store));
  const evidence = open && createEvidence({ cites, line, span: caption.span }, store, state);
  if (evidence) text.append(evidence);
  const article = element("article", { class: "chapter", "aria-label": `${title}, ${span}` }, head, text);
  article.classList.toggle("open", open);
  article.classList.toggle("writing", caption.writing);
  setAttributes(article, {
    "data-first": caption.span[0],
    "data-last": caption.span[1],
    "data-cites": cites.join(" "),
  });
  lightSpan(article, caption.span, state);
  on(article, "click", () => state.select(caption.span, true));
  return element("li", {}, article);
}
