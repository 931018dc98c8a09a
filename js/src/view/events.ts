// The Events tab: what happened in the forward pass, the backward pass and the optimizer, as a table that can
// be searched and narrowed to one of the three. One stop for the Tab key; the arrow keys walk its rows.
import { computed, signal as createSignal } from "@preact/signals-core";
import { element, react, setAttributes, setText } from "../dom";
import { formatCount } from "../format";
import { on } from "../listen";
import type { EventPhase, RunEvent } from "../protocol";
import { FOLLOW, type State } from "../state";
import type { Store } from "../store";
import { createRows } from "./rows";

const SYMBOLS = { forward: "▲", backward: "▼", optimizer: "◆" } as const;
const PHASES = ["forward", "backward", "optimizer"] as const;
const ROW_HEIGHT = 28;
const JUMP = 10;

export function createEvents(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const query = createSignal("");
  const hidden = createSignal<ReadonlySet<EventPhase>>(new Set());
  /** The event that the arrow keys stand on. */
  const active = createSignal("");
  const matching = computed(() => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    return store.events.value.filter((event) => !hidden.value.has(event.phase) && contains(event, words));
  });

  const search = element("input", {
    type: "search",
    "aria-label": "search events",
    placeholder: "Search events",
    autocomplete: "off",
  });
  on(search, "input", () => {
    query.value = search.value;
  });
  const found = element("span", { class: "hint found", "aria-live": "polite" });
  const quiet = element("p", { class: "quiet" });
  const body = element("div", { role: "rowgroup" });
  const head = element("div", { role: "row", class: "event head-row", "aria-rowindex": 1 });
  for (const name of ["pass", "iteration", "event", "times", "id"]) {
    // A column of marks, and two that name themselves.
    const isSeen = name === "iteration" || name === "event";
    const text = element("span", { class: isSeen ? "" : "visually-hidden" }, name);
    if (name === "iteration") react(signal, () => setText(text, store.noun.value));
    head.append(element("span", { role: "columnheader", class: `${name}-column` }, text));
  }
  const grid = element(
    "div",
    { class: "grid", role: "grid", "aria-label": "events", tabindex: "0" },
    element("div", { role: "rowgroup", class: "grid-head" }, head),
    body,
  );
  const panel = element(
    "div",
    { class: "table-panel" },
    element(
      "div",
      { class: "filters" },
      search,
      ...PHASES.map((phase) => createFilter(phase, store, hidden, signal)),
      found,
    ),
    quiet,
    grid,
  );

  const rows = createRows<RunEvent>(
    {
      scroll: grid,
      body,
      keyOf: ({ id }) => id,
      make: (event) => createRow(event, () => choose(event)),
      guess: ROW_HEIGHT,
      mark: (row, { id, evaluation }, index) => {
        const atCursor = evaluation === state.iteration.peek();
        setAttributes(row, { "aria-rowindex": index + 2, "aria-current": atCursor ? "true" : null });
        row.classList.toggle("current", atCursor);
        row.classList.toggle("cited", id === state.cited.peek());
        row.classList.toggle("active", id === active.peek());
        row.onpointerenter = () => {
          state.lit.value = [evaluation, evaluation];
        };
        row.onpointerleave = () => {
          state.lit.value = null;
        };
      },
    },
    signal,
  );
  const indexOf = (id: string) => matching.peek().findIndex((event) => event.id === id);
  const choose = (event: RunEvent) => {
    active.value = event.id;
    state.playing.value = false;
    state.cited.value = event.id;
    state.moveTo(event.evaluation);
  };

  react(signal, () => {
    // Also where only the marks of the rows change.
    state.iteration.value;
    state.cited.value;
    active.value;
    if (state.tab.value !== "Events") return;
    const [all, some] = [store.events.value.length, matching.value.length];
    rows.show(matching.value);
    setAttributes(grid, { "aria-rowcount": some + 1 });
    const total = store.eventsTotal.value;
    const cut = total > all ? `${formatCount(all)} of ${formatCount(total)} are listed` : "";
    setText(found, some < all ? `${formatCount(some)} of ${formatCount(all)}` : cut);
    grid.hidden = some === 0;
    quiet.hidden = some > 0;
    setText(quiet, all === 0 ? "No events were recorded." : "No event contains this.");
    const seen = indexOf(active.value) >= 0 && body.querySelector(".active");
    setAttributes(grid, { "aria-activedescendant": seen ? seen.id : null });
  });
  // A cited event is seen, whatever was searched for.
  react(signal, () => {
    const cited = state.cited.value;
    if (state.tab.value !== "Events" || !store.events.peek().some(({ id }) => id === cited)) return;
    if (indexOf(cited) < 0) {
      search.value = query.value = "";
      hidden.value = new Set();
    }
    active.value = cited;
    // The table may not have followed the search yet.
    rows.show(matching.peek());
    rows.reveal(indexOf(cited));
  });
  // The table follows a cursor that the reader moves elsewhere, and stays under the reader's own hands.
  react(signal, () => {
    const iteration = state.iteration.value;
    if (state.tab.value !== "Events" || state.cursor.value === FOLLOW) return;
    if (grid.matches(":hover, :focus")) return;
    const events = matching.peek();
    const at = events.findIndex(({ evaluation }) => evaluation >= iteration);
    if (events.length > 0) rows.reveal(at < 0 ? events.length - 1 : at);
  });

  const light = () => {
    const event = matching.peek()[indexOf(active.peek())];
    state.lit.value = event ? [event.evaluation, event.evaluation] : null;
  };
  const stand = (index: number) => {
    const events = matching.peek();
    const inside = Math.min(Math.max(index, 0), events.length - 1);
    active.value = events[inside]?.id ?? "";
    if (inside >= 0) rows.reveal(inside);
    // The row that has come into sight can be named only now.
    setAttributes(grid, { "aria-activedescendant": body.querySelector(".active")?.id ?? null });
    light();
  };
  on(grid, "focus", () => {
    if (indexOf(active.peek()) >= 0) return light();
    stand(matching.peek().findIndex(({ evaluation }) => evaluation >= state.iteration.peek()));
  });
  on(grid, "blur", () => {
    state.lit.value = null;
  });
  on(grid, "keydown", (key) => {
    if (key.altKey || key.ctrlKey || key.metaKey) return;
    const now = indexOf(active.peek());
    const event = matching.peek()[now];
    if ((key.key === "Enter" || key.key === " ") && event) choose(event);
    else {
      const next = {
        ArrowDown: now + 1,
        ArrowUp: now - 1,
        PageDown: now + JUMP,
        PageUp: now - JUMP,
        Home: 0,
        End: Number.POSITIVE_INFINITY,
      }[key.key];
      if (next === undefined) return;
      stand(next);
    }
    key.preventDefault();
    key.stopPropagation();
  });
  return panel;
}

/** Shows or hides the events of one pass. */
function createFilter(
  phase: EventPhase,
  store: Store,
  hidden: { value: ReadonlySet<EventPhase> },
  signal: AbortSignal,
): HTMLElement {
  const count = element("span", { class: "hint" });
  const symbol = element("span", { class: `symbol ${phase}`, "aria-hidden": "true" }, SYMBOLS[phase]);
  const button = element("button", { class: "filter" }, symbol, phase, count);
  on(button, "click", () => {
    const wanted = new Set(hidden.value);
    if (!wanted.delete(phase)) wanted.add(phase);
    hidden.value = wanted;
  });
  react(signal, () => {
    const number = store.events.value.filter((event) => event.phase === phase).length;
    setText(count, formatCount(number));
    button.hidden = number === 0;
    setAttributes(button, { "aria-pressed": !hidden.value.has(phase) });
  });
  return button;
}

/** Every word occurs, or is the event's name or iteration. */
function contains({ text, stage, id, evaluation }: RunEvent, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const content = `${text} ${stage}`.toLowerCase();
  return words.every((word) => content.includes(word) || word === id || word === String(evaluation));
}

function createRow(event: RunEvent, act: () => void): HTMLElement {
  const { id, evaluation, phase, text, stage, count } = event;
  const cell = (name: string, ...content: (Node | string | null)[]) =>
    element("span", { role: "gridcell", class: name }, ...content);
  const symbol = element(
    "span",
    { class: `symbol ${phase}`, role: "img", "aria-label": phase },
    SYMBOLS[phase] ?? "•",
  );
  const row = element(
    "div",
    { role: "row", class: "event", id: `event-${id}`, "data-id": id },
    cell("pass-column", symbol),
    cell("at", formatCount(evaluation)),
    cell("what", text, stage ? element("span", { class: "stage" }, stage) : null),
    cell("times", count > 1 ? `${formatCount(count)}×` : ""),
    cell("id", id),
  );
  on(row, "click", act);
  return row;
}
