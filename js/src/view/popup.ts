// A button that opens a small sheet below it; Escape, or leaving it, closes it and gives the focus back.
import { signal as createSignal } from "@preact/signals-core";
import { element, react, setAttributes } from "../dom";
import { on } from "../listen";

export interface Popup {
  node: HTMLElement;
  button: HTMLButtonElement;
  sheet: HTMLElement;
  close: () => void;
}

export function createPopup(text: string, id: string, signal: AbortSignal, onOpen: () => void): Popup {
  const open = createSignal(false);
  const button = element("button", { class: "head-button", "aria-controls": id }, text);
  const sheet = element("div", { class: "sheet", id, role: "group", "aria-label": text });
  const node = element("span", { class: "popup" }, button, sheet);
  const close = () => {
    if (!open.value) return;
    open.value = false;
    button.focus();
  };
  on(button, "click", () => {
    open.value = !open.value;
    if (open.value) onOpen();
  });
  on(node, "keydown", (event) => {
    if (event.key !== "Escape" || !open.value) return;
    event.stopPropagation();
    close();
  });
  on(node, "focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !node.contains(relatedTarget)) open.value = false;
  });
  react(signal, () => {
    sheet.hidden = !open.value;
    setAttributes(button, { "aria-expanded": open.value });
  });
  return { node, button, sheet, close };
}
