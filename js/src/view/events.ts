// The Events tab: what happened in the forward pass, the backward pass and the optimizer, as a list.
// Shows a window of it, so that a hundred thousand events cost no more than two hundred.
import { signal as createSignal } from "@preact/signals-core";
import { element, react } from "../dom";
import { formatCount } from "../format";
import type { RunEvent } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";
import { lightSpan, reveal } from "./caption";

const WINDOW = 200;
const SYMBOLS = { forward: "▲", backward: "▼", optimizer: "◆" } as const;

export function createEvents(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const list = element("ol", { class: "events" });
  const panel = element("div", { class: "scroll" }, list);
  const start = createSignal(0);

  const pager = (text: string, target: number) => {
    const button = element("button", { type: "button", class: "action" }, text);
    button.addEventListener("click", () => {
      start.value = target;
      panel.scrollTop = 0;
    });
    return element("li", {}, button);
  };

  // A cited event lies in the window.
  react(signal, () => {
    const index = store.events.peek().findIndex(({ id }) => id === state.cited.value);
    if (index >= 0 && (index < start.peek() || index >= start.peek() + WINDOW)) {
      start.value = Math.max(0, index - WINDOW / 2);
    }
  });
  react(signal, () => {
    if (state.tab.value !== "Events") return;
    const events = store.events.value;
    const from = Math.min(start.value, Math.max(0, events.length - 1));
    const to = Math.min(from + WINDOW, events.length);
    list.replaceChildren(...events.slice(from, to).map((event) => createRow(event, state)));
    if (from > 0) list.prepend(pager(`${formatCount(from)} earlier events`, Math.max(0, from - WINDOW)));
    if (to < events.length) list.append(pager(`${formatCount(events.length - to)} later events`, to));
    if (events.length === 0) list.append(element("li", { class: "quiet" }, "No events were recorded."));
  });
  react(signal, () => {
    store.events.value;
    start.value;
    const open = state.tab.value === "Events";
    const cited = state.cited.value;
    const iteration = state.iteration.value;
    if (!open) return;
    for (const row of list.querySelectorAll<HTMLElement>("[data-id]")) {
      row.classList.toggle("current", Number(row.dataset.evaluation) === iteration);
      row.classList.toggle("cited", row.dataset.id === cited);
    }
  });
  react(signal, () => {
    const cited = state.cited.value;
    if (!cited || state.tab.value !== "Events") return;
    const row = list.querySelector<HTMLElement>(`[data-id="${CSS.escape(cited)}"]`);
    if (row) reveal(panel, row);
  });
  return panel;
}

function createRow(event: RunEvent, state: State): HTMLElement {
  const { id, evaluation, phase, text, stage, count } = event;
  const row = element(
    "button",
    { type: "button", class: "event", "data-id": id, "data-evaluation": evaluation },
    element("span", { class: `symbol ${phase}`, role: "img", "aria-label": phase }, SYMBOLS[phase] ?? "•"),
    element("span", { class: "at" }, formatCount(evaluation)),
    element("span", { class: "what" }, text, stage ? element("span", { class: "stage" }, stage) : null),
    count > 1 ? element("span", { class: "times" }, `${formatCount(count)}×`) : null,
    element("span", { class: "id" }, id),
  );
  row.addEventListener("click", () => {
    state.playing.value = false;
    state.cited.value = id;
    state.moveTo(evaluation);
  });
  lightSpan(row, [evaluation, evaluation], state);
  return element("li", {}, row);
}
