// The tabs Explanation, Events and Facts: names, counts, arrow keys, and the one panel that is open.
import type { ReadonlySignal } from "@preact/signals-core";
import { element, react, setAttributes, setText } from "../dom";
import { formatCount } from "../format";
import { on } from "../listen";
import type { State, Tab } from "../state";
import type { Store } from "../store";
import { createEvents } from "./events";
import { createExplanation } from "./explanation";
import { createFacts } from "./facts";

const TABS: readonly Tab[] = ["Explanation", "Events", "Facts"];

export function createPanel(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const counts: Partial<Record<Tab, ReadonlySignal<readonly unknown[]>>> = {
    Events: store.events,
    Facts: store.facts,
  };
  const contents: Record<Tab, HTMLElement> = {
    Explanation: createExplanation(store, state, signal),
    Events: createEvents(store, state, signal),
    Facts: createFacts(store, state, signal),
  };
  const tablist = element("div", { class: "tabs", role: "tablist", "aria-label": "about this run" });
  const panels = element("div", { class: "panels" });
  const buttons = TABS.map((tab) => {
    const count = element("span", { class: "count", "aria-hidden": "true" });
    const attributes = { role: "tab", id: `tab-${tab}`, "aria-controls": `panel-${tab}` };
    const button = element(
      "button",
      { ...attributes, "aria-label": tab },
      element("span", { class: "label", "data-label": tab }, tab),
      count,
    );
    const panel = contents[tab];
    setAttributes(panel, {
      role: "tabpanel",
      id: `panel-${tab}`,
      "aria-labelledby": `tab-${tab}`,
      // What scrolls can be scrolled by keys; the table of events takes the focus itself.
      tabindex: panel.classList.contains("scroll") ? "0" : null,
    });
    on(button, "click", () => {
      state.tab.value = tab;
    });
    react(signal, () => {
      const open = state.tab.value === tab;
      setAttributes(button, { "aria-selected": open, tabindex: open ? "0" : "-1" });
      panel.hidden = !open;
    });
    react(signal, () => {
      const length = counts[tab]?.value.length ?? 0;
      setText(count, length > 0 ? formatCount(length) : "");
    });
    panels.append(panel);
    return button;
  });
  tablist.append(...buttons);
  on(tablist, "keydown", (event) => {
    const now = TABS.indexOf(state.tab.value);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (next === undefined) return;
    const index = (next + TABS.length) % TABS.length;
    state.tab.value = TABS[index] ?? "Explanation";
    buttons[index]?.focus();
    event.preventDefault();
    event.stopPropagation();
  });
  return element("div", { class: "panel" }, tablist, panels);
}
