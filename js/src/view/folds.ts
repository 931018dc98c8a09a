// Below the track: what unfolds there, remembered for the next run, and who wrote the words.
import type { Signal } from "@preact/signals-core";
import { element, react, setAttributes } from "../dom";
import { formatCount } from "../format";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";

/** The button of the details, which `controls` names. */
export function createDetailsFold(
  store: Store,
  state: State,
  controls: string,
  signal: AbortSignal,
): HTMLElement {
  const button = createFold("Details", state.details, controls, signal, () => {
    const events = store.eventsTotal.value || store.events.value.length;
    return [
      "parameters",
      "gradients",
      ...(events > 0 ? [`${formatCount(events)} events`] : []),
      "facts, table",
    ].join(", ");
  });
  // What was asked for by name comes before what the reader chose last.
  let asked = "";
  react(signal, () => {
    const { view } = store.head.value;
    if (view === asked) return;
    asked = view;
    if (view) state.details.value = view === "details";
  });
  return button;
}

/** The button of the reasons; not there where none are known. */
export function createReasonsFold(
  store: Store,
  state: State,
  controls: string,
  signal: AbortSignal,
): HTMLElement {
  const button = createFold(
    "Reasons",
    state.reasons,
    controls,
    signal,
    () => "who moved what, and what it brought",
  );
  react(signal, () => {
    const reasons = store.reasons.value;
    button.hidden = !reasons || (reasons.tables.length === 0 && !reasons.why_not);
  });
  return button;
}

function createFold(
  name: string,
  open: Signal<boolean>,
  controls: string,
  signal: AbortSignal,
  about: () => string,
): HTMLElement {
  const text = element("span", { class: "fold-about" });
  const button = element(
    "button",
    { class: "fold", "aria-controls": controls, "aria-label": name },
    element("span", { class: "chevron", "aria-hidden": "true" }),
    element("span", { class: "fold-name" }, name),
    text,
  );
  const key = `xinv-nb:${name}`;
  if (remembered(key)) open.value = true;
  on(button, "click", () => {
    open.value = !open.value;
    remember(key, open.value);
  });
  react(signal, () => {
    setAttributes(button, { "aria-expanded": open.value });
    text.textContent = open.value ? "" : about();
  });
  return button;
}

function remember(key: string, open: boolean): void {
  try {
    if (open) localStorage.setItem(key, "open");
    else localStorage.removeItem(key);
  } catch {
    // A page that may keep nothing.
  }
}

function remembered(key: string): boolean {
  try {
    return localStorage.getItem(key) !== null;
  } catch {
    return false;
  }
}
