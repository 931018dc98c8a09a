// Which parameters and watched quantities are drawn: a list to search, those that moved most first.
// It lies over the plots, so that nothing moves when it opens.
import { signal as createSignal } from "@preact/signals-core";
import { element, react, setAttributes } from "../dom";
import { formatCount, formatWithUnit } from "../format";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";

/** More are found by searching. */
const MOST_LISTED = 100;

interface Choice {
  column: string;
  name: string;
  unit: string;
  kind: "parameter" | "watched";
  atFirst: boolean;
  moved: number;
}

export interface Picker {
  button: HTMLButtonElement;
  panel: HTMLElement;
}

export function createPicker(store: Store, state: State, signal: AbortSignal): Picker {
  const open = createSignal(false);
  const wanted = createSignal("");
  const button = element("button", {
    class: "action choose",
    "aria-expanded": "false",
    "aria-controls": "picker",
  });
  const search = element("input", {
    type: "search",
    "aria-label": "search parameters",
    placeholder: "search…",
  });
  const close = element("button", { class: "action" }, "Close");
  const list = element("ul", { class: "choices", role: "list" });
  const note = element("p", { class: "hint", "aria-live": "polite" });
  const panel = element(
    "div",
    { class: "picker", id: "picker", role: "group", "aria-label": "what is drawn" },
    element("div", { class: "picker-head" }, search, close),
    list,
    note,
  );
  let choices: Choice[] = [];

  const toggleOpen = (value: boolean) => {
    if (open.value === value) return;
    if (value) choices = listChoices(store);
    open.value = value;
    if (value) search.focus();
    else button.focus();
  };
  on(button, "click", () => toggleOpen(!open.value));
  on(close, "click", () => toggleOpen(false));
  on(panel, "keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    toggleOpen(false);
  });
  on(search, "input", () => {
    wanted.value = search.value.trim().toLowerCase();
  });

  react(signal, () => {
    panel.hidden = !open.value;
    setAttributes(button, { "aria-expanded": open.value });
  });
  react(signal, () => {
    const all = store.series.value.length + store.watched.value.length;
    const shown =
      store.series.value.filter((series) => state.isShown(`p${series.key}`, series.shown)).length +
      store.watched.value.filter((watched) => state.isShown(`w${watched.key}`, watched.shown)).length;
    // Of several runs, whole runs are isolated by their names.
    button.hidden = all < 2 || store.head.value.compared;
    button.textContent =
      shown < all
        ? `Choose… ${formatCount(shown)} of ${formatCount(all)} are drawn`
        : "Choose what is drawn…";
  });
  react(signal, () => {
    if (!open.value) return;
    const matching = choices.filter(({ name }) => name.toLowerCase().includes(wanted.value));
    list.replaceChildren(...matching.slice(0, MOST_LISTED).map((choice) => createChoice(choice, state)));
    const more = matching.length - MOST_LISTED;
    const notes = [];
    if (matching.length === 0) notes.push("No name contains this.");
    if (more > 0) notes.push(`${formatCount(more)} more: search for a part of the name.`);
    const hasSummaries = store.series.value.some(({ statistic }) => statistic !== "");
    if (hasSummaries) notes.push("Of a large array, the entries that moved most are listed.");
    note.textContent = notes.join(" ");
  });
  return { button, panel };
}

function createChoice({ column, name, unit, kind, atFirst, moved }: Choice, state: State): HTMLElement {
  const box = element("input", { type: "checkbox" });
  // Not watched: the list itself would be built anew under the reader's finger.
  box.checked = (atFirst !== false) !== state.toggled.peek().has(column);
  on(box, "change", () => state.toggle(column));
  const change = Number.isFinite(moved) ? `moved by ${formatWithUnit(moved, unit)}` : "";
  return element(
    "li",
    {},
    element(
      "label",
      { class: "choice" },
      box,
      element("span", { class: "name" }, name),
      element("span", { class: "hint" }, kind === "watched" ? `watched · ${change}` : change),
    ),
  );
}

/** Of each kind, those that moved most first. */
function listChoices(store: Store): Choice[] {
  const parameters = store.series.value.map(({ key, name, label, unit, shown }) => ({
    column: `p${key}`,
    name: label || name,
    unit,
    kind: "parameter" as const,
    atFirst: shown,
    moved: rangeOf(store, `p${key}`, `p${key}`),
  }));
  const watched = store.watched.value.map(({ key, name, unit, several, shown }) => ({
    column: `w${key}`,
    name,
    unit,
    kind: "watched" as const,
    atFirst: shown,
    moved: rangeOf(store, `w${key}`, several ? `h${key}` : `w${key}`),
  }));
  const byMovement = (a: Choice, b: Choice) => (b.moved || 0) - (a.moved || 0);
  return [...parameters.sort(byMovement), ...watched.sort(byMovement)];
}

export function rangeOf(store: Store, lowest: string, highest: string): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of store.history.column(lowest)) if (Number.isFinite(value)) low = Math.min(low, value);
  for (const value of store.history.column(highest)) if (Number.isFinite(value)) high = Math.max(high, value);
  return high >= low ? high - low : Number.NaN;
}
