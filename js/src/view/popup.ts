// A button that opens a small sheet below it; Escape, or leaving it, closes it and gives the focus back.
import { signal as createSignal } from "@preact/signals-core";
import { element, react, setAttributes } from "../dom";

export interface Popup {
  node: HTMLElement;
  sheet: HTMLElement;
  close: () => void;
}

export function createPopup(text: string, id: string, signal: AbortSignal, onOpen: () => void): Popup {
  const open = createSignal(false);
  const button = element("button", { type: "button", class: "head-button", "aria-controls": id }, text);
  const sheet = element("div", { class: "sheet", id, role: "group", "aria-label": text });
  const node = element("span", { class: "popup" }, button, sheet);
  const close = () => {
    if (!open.value) return;
    open.value = false;
    button.focus();
  };
  button.addEventListener("click", () => {
    open.value = !open.value;
    if (open.value) onOpen();
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open.value) return;
    event.stopPropagation();
    close();
  });
  node.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !node.contains(relatedTarget)) open.value = false;
  });
  react(signal, () => {
    sheet.hidden = !open.value;
    setAttributes(button, { "aria-expanded": open.value ? "true" : "false" });
  });
  return { node, sheet, close };
}
