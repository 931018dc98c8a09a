// The head: title, state in words and colour, loss up to the cursor, optimizer, and who writes the captions.
import { element, react, setText } from "../dom";
import { fitInWords, fitsToChoose, partAt } from "../fits";
import { formatCount, formatNumber, formatPair } from "../format";
import type { Link } from "../link";
import { atEnd, on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { createFits } from "./fits";
import type { Notices } from "./notices";
import { createWriter } from "./writer";

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
  const stateText = element("span");
  const pill = element("span", { class: "pill state" }, element("span", { class: "dot" }), stateText);
  const loss = element("span", { class: "pill numbers" });
  const optimizer = element("span", { class: "pill long" });
  const thinned = element("span", { class: "pill long" });
  const announcement = element("p", { class: "visually-hidden", role: "status" });

  react(signal, () => {
    const head = store.head.value;
    setText(title, head.title || "optimization run");
    title.title = head.goal;
    setText(stateText, store.problem.value ? "cannot be shown" : head.state);
    pill.dataset.tone = store.problem.value ? "bad" : head.tone;
    setText(optimizer, head.optimizer);
    optimizer.title = head.optimizer;
    // Of several fits, each names its own.
    optimizer.hidden = !head.optimizer || fitsToChoose(store).length > 0;
    setText(thinned, `one in ${formatCount(state.thinned.value)} evaluations is shown`);
    thinned.hidden = !(state.thinned.value > 1);
  });
  let longest = 0;
  react(signal, () => {
    store.version.value;
    const row = state.row.value;
    const start = partAt(store, row)?.from ?? 0;
    const [first, now] = [store.history.value("loss", start), store.history.value("loss", row)];
    const label = store.head.value.loss_label || "loss";
    loss.hidden = row < 0 || store.head.value.compared;
    const numbers =
      row <= start ? formatNumber(first) : formatPair(first, now, store.head.value.loss_unit).join(" → ");
    const text = `${label} ${numbers}`;
    setText(loss, text);
    // As wide as it has been: a cursor at the start does not move what stands beside it.
    longest = Math.max(longest, text.length);
    loss.style.setProperty("--longest", String(longest));
  });
  const noticed = element("button", { class: "pill noticed", title: "read them below" });
  on(noticed, "click", () => {
    notices.focus();
    notices.scrollIntoView({ block: "nearest" });
  });
  react(signal, () => {
    noticed.hidden = count.value === 0;
    setText(noticed, count.value === 1 ? "1 notice ↓" : `${formatCount(count.value)} notices ↓`);
  });
  announce(store, announcement, signal);
  return element(
    "header",
    { class: "head" },
    element(
      "div",
      { class: "about" },
      title,
      pill,
      loss,
      optimizer,
      createFits(store, state, link, signal),
      thinned,
      noticed,
    ),
    element("div", { class: "actions" }, createWriter(store, link, signal), ...actions),
    announcement,
  );
}

function announce(store: Store, region: HTMLElement, signal: AbortSignal): void {
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
  atEnd(signal, () => clearTimeout(timer));
}
