// The head: title, goal, the state in a word, and the actions.

import { chapterAt, chaptersOf, titleOf } from "../chapters";
import { element, react, setText } from "../dom";
import { fitInWords, fitsToChoose } from "../fits";
import { formatCount } from "../format";
import type { Link } from "../link";
import { atEnd, on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { askedOf } from "./answer";
import { createFits } from "./fits";
import type { Notices } from "./notices";

/** A screen reader hears the state at most this often (ms). */
const ANNOUNCE_INTERVAL = 2000;

export function createHead(
  store: Store,
  state: State,
  link: Link,
  { node: notices, count }: Notices,
  actions: readonly HTMLElement[],
  signal: AbortSignal,
): HTMLElement {
  const title = element("h2", { class: "title" });
  const goal = element("p", { class: "goal" });
  const word = element("b");
  const more = element("span", { class: "more" });
  const stateNode = element(
    "p",
    { class: "state" },
    element("span", { class: "dot" }),
    element("span", { class: "said" }, word, more),
  );
  const thinned = element("span", { class: "thinned" });
  const announcement = element("p", { class: "visually-hidden", role: "status" });

  react(signal, () => {
    const head = store.head.value;
    setText(title, head.title || "optimization run");
    title.title = head.title;
    const aim = head.goal || (head.compared ? "" : `Make ${nameOfLoss(head.loss_label)} small.`);
    setText(goal, aim);
    goal.title = aim;
    goal.hidden = !aim;
    const [first, ...rest] = (store.problem.value ? "cannot be shown" : head.state).split(" · ");
    setText(word, first ?? "");
    // Of several fits, each names its own.
    const by = head.optimizer.split(" · ")[0];
    const optimizer = by && fitsToChoose(store).length === 0 && rest.length > 0 ? ` of ${by}` : "";
    const counted = head.status === "running" && /^\S+$/.test(rest[0] ?? "") ? ` ${head.noun}s` : "";
    setText(more, rest.length > 0 ? ` · ${rest.join(" · ")}${counted}${optimizer}` : "");
    // However well it converged, its result cannot be used.
    const isWrong = store.findings.value[0]?.heading === "Warning" && head.tone === "good";
    stateNode.dataset.tone = store.problem.value ? "bad" : isWrong ? "warning" : head.tone;
    stateNode.title = [head.state, head.optimizer].filter(Boolean).join("\n");
    setText(thinned, `one in ${formatCount(state.thinned.value)} evaluations is shown`);
    thinned.hidden = !(state.thinned.value > 1);
  });
  const noticed = element("button", { class: "action noticed", title: "read them below" });
  on(noticed, "click", () => {
    notices.focus();
    notices.scrollIntoView({ block: "nearest" });
  });
  react(signal, () => {
    noticed.hidden = count.value === 0;
    setText(noticed, count.value === 1 ? "1 notice ↓" : `${formatCount(count.value)} notices ↓`);
  });
  announce(store, state, announcement, signal);
  return element(
    "header",
    { class: "head" },
    element("div", { class: "about" }, title, goal),
    element("div", { class: "stand" }, createFits(store, state, link, signal), thinned, stateNode, noticed),
    element("div", { class: "actions" }, ...actions),
    announcement,
  );
}

function nameOfLoss(label: string): string {
  return !label || label === "loss" ? "the loss" : label;
}

function announce(store: Store, state: State, region: HTMLElement, signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = () => {
    const told = [store.head.value.state, fitInWords(store)].filter(Boolean).join(" · ");
    setText(region, store.problem.value || told);
  };
  const sayLater = () => {
    timer = undefined;
    say();
  };
  react(signal, () => {
    const { status } = store.head.value;
    store.problem.value;
    store.fits.value;
    // An ending is said at once, progress now and then.
    if (status !== "running" || !region.textContent) say();
    else timer ??= setTimeout(sayLater, ANNOUNCE_INTERVAL);
  });
  react(signal, () => {
    const answer = askedOf(store, state)?.answer;
    if (answer) setText(region, answer.parts.map(({ text }) => text).join(""));
  });
  // A cursor that the reader moves says so itself.
  let chapter = -1;
  react(signal, () => {
    const chapters = chaptersOf(store);
    const now = chapterAt(chapters, state.iteration.value);
    const found = chapters[now];
    if (state.playing.value && now !== chapter && found) setText(region, titleOf(found, store));
    chapter = now;
  });
  atEnd(signal, () => clearTimeout(timer));
}
