// A small ring behind a sentence: what it rests on, with its numbers, opens in place.
import { element } from "../dom";
import { on } from "../listen";
import type { Span } from "../protocol";
import { cellsOf } from "../reasons-table";
import type { State } from "../state";
import type { Store } from "../store";
import { lightSpan, openCited, spanText } from "./caption";

const MOST = 5;
const MARGIN = 8;

export interface Rests {
  cites: readonly string[];
  span: Span;
  /** Who worded it and what was checked. */
  line?: string;
}

/** Null where nothing is cited. */
export function createEvidence(rests: Rests, store: Store, state: State): HTMLElement | null {
  const { cites, span, line } = rests;
  if (cites.length === 0) return null;
  const ring = element("button", {
    class: "ring",
    "aria-label": "what this rests on",
    "aria-expanded": false,
  });
  const sheet = element("div", {
    class: "evidence",
    popover: "auto",
    role: "group",
    "aria-label": "evidence",
  });
  const close = () => sheet.hidePopover?.();
  const fill = () => {
    const found = cites.map((id) => cited(id, store)).filter((each) => each !== null);
    const rows = found.slice(0, MOST).map(({ id, text }) => {
      const row = element("button", { class: "evidence-row" }, text, element("span", { class: "id" }, id));
      on(row, "click", () => {
        close();
        openCited(id, store, state);
      });
      return element("li", {}, row);
    });
    const more = found.length - rows.length;
    const show = element("button", { class: "action" }, `Show ${spanText(span, store)}`);
    on(show, "click", () => {
      close();
      state.select(span, true);
    });
    const reasons = store.reasons.peek();
    const cells = reasons ? cellsOf(reasons, cites) : [];
    const open = element("button", { class: "action" }, "Open in Reasons");
    open.hidden = cells.length === 0;
    on(open, "click", () => {
      close();
      state.reasons.value = true;
      state.litCells.value = cells;
    });
    sheet.replaceChildren(
      element("p", { class: "evidence-head" }, "What this rests on"),
      element("ul", {}, ...rows),
      ...(more > 0 ? [element("p", { class: "hint" }, `and ${more} more`)] : []),
      ...(line ? [element("p", { class: "hint" }, line)] : []),
      element("p", { class: "evidence-actions" }, open, show),
    );
  };
  ring.popoverTargetElement = sheet;
  for (const node of [ring, sheet]) on(node, "click", (event) => event.stopPropagation());
  sheet.addEventListener("beforetoggle", (event) => {
    if ((event as ToggleEvent).newState !== "open") return;
    fill();
    sheet.style.visibility = "hidden";
  });
  sheet.addEventListener("toggle", (event) => {
    const open = (event as ToggleEvent).newState === "open";
    ring.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place(sheet, ring);
    sheet.style.visibility = "";
    // What is pinned to the window would stay behind.
    window.addEventListener("scroll", close, { capture: true, once: true, passive: true });
  });
  lightSpan(ring, span, state);
  // Held by a space that does not break: the ring is never alone on a line.
  return element("span", { class: "rests" }, "\u00a0\u2007", ring, sheet);
}

function place(sheet: HTMLElement, at: HTMLElement): void {
  const { left, top, bottom } = at.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = sheet;
  const below = bottom + height + MARGIN <= window.innerHeight;
  sheet.style.left = `${Math.max(MARGIN, Math.min(left - 40, window.innerWidth - width - MARGIN))}px`;
  sheet.style.top = `${Math.max(MARGIN, below ? bottom + 2 : top - height - 2)}px`;
}

function cited(id: string, store: Store): { id: string; text: string } | null {
  const found =
    store.facts.peek().find((fact) => fact.id === id) ?? store.events.peek().find((event) => event.id === id);
  return found ? { id, text: found.text } : null;
}
