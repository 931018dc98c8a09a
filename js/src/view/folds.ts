// Below the track: what unfolds there, remembered for the next run, and who wrote the words.
import { element, react, setAttributes } from "../dom";
import { formatCount } from "../format";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";

const KEY = "xinv-nb:details";

/** The button of the details, which `controls` names. */
export function createDetailsFold(
  store: Store,
  state: State,
  controls: string,
  signal: AbortSignal,
): HTMLElement {
  const about = element("span", { class: "fold-about" });
  const button = element(
    "button",
    { class: "fold", "aria-controls": controls, "aria-label": "Details" },
    element("span", { class: "chevron", "aria-hidden": "true" }),
    element("span", { class: "fold-name" }, "Details"),
    about,
  );
  on(button, "click", () => {
    state.details.value = !state.details.value;
    remember(state.details.value);
  });
  react(signal, () => setAttributes(button, { "aria-expanded": state.details.value }));
  react(signal, () => {
    const events = store.eventsTotal.value || store.events.value.length;
    const parts = [
      "parameters",
      "gradients",
      ...(events > 0 ? [`${formatCount(events)} events`] : []),
      "facts, table",
    ];
    about.textContent = state.details.value ? "" : parts.join(", ");
  });
  // What was asked for by name comes before what the reader chose last.
  let asked = "";
  if (remembered()) state.details.value = true;
  react(signal, () => {
    const { view } = store.head.value;
    if (view === asked) return;
    asked = view;
    if (view) state.details.value = view === "details";
  });
  return button;
}

function remember(open: boolean): void {
  try {
    if (open) localStorage.setItem(KEY, "open");
    else localStorage.removeItem(KEY);
  } catch {
    // A page that may keep nothing.
  }
}

function remembered(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
