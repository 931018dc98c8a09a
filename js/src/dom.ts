// The little DOM this view needs: making elements (text only, never HTML), effects that end with a signal,
// and painting at most once per animation frame.
import { effect } from "@preact/signals-core";
import { atEnd } from "./listen";

type Attributes = Record<string, string | number | boolean | null>;
type Child = Node | string | null;

/** Makes an element; children are nodes or plain text, null is left out. A button submits no form unless it says so. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (node instanceof HTMLButtonElement) node.type = "button";
  setAttributes(node, attributes);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Attributes that are null are taken away, and so are those that are false, unless they are ARIA's. */
export function setAttributes(node: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const isSaid = name.startsWith("aria-");
    const text = value === true && !isSaid ? "" : String(value);
    if (value === null || (value === false && !isSaid)) node.removeAttribute(name);
    else if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

/** Sets text only when it differs, so that screen readers and layout are left in peace. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Runs `action` now and again whenever a signal it read changes, until `signal` aborts. */
export function react(signal: AbortSignal, action: () => void): void {
  if (signal.aborted) return;
  atEnd(signal, effect(action));
}

/** Returns a function that asks for one call of `paint` in the next animation frame. */
export function eachFrame(signal: AbortSignal, paint: () => void): () => void {
  let request = 0;
  atEnd(signal, () => cancelAnimationFrame(request));
  return () => {
    if (request || signal.aborted) return;
    request = requestAnimationFrame(() => {
      request = 0;
      paint();
    });
  };
}

/** Keeps one child node an item, in order; nodes of unchanged items stay, with their focus and selection; a focused
 *  button in one that changes passes its focus on. */
export function reconcile<T>(
  parent: Element,
  items: readonly T[],
  keyOf: (item: T) => string,
  make: (item: T) => HTMLElement,
  former: Map<string, { content: string; node: HTMLElement }>,
): void {
  const kept = new Set<string>();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const content = JSON.stringify(item);
    kept.add(key);
    let entry = former.get(key);
    if (entry?.content !== content) {
      const node = make(item);
      if (place === entry?.node) place = node;
      if (entry) replace(entry.node, node);
      entry = { content, node };
      former.set(key, entry);
    }
    if (entry.node === place) place = place.nextElementSibling;
    else parent.insertBefore(entry.node, place);
  }
  for (const [key, { node }] of former) {
    if (kept.has(key)) continue;
    node.remove();
    former.delete(key);
  }
}

function replace(former: HTMLElement, node: HTMLElement): void {
  const root = former.getRootNode() as Document | ShadowRoot;
  const place = [...former.querySelectorAll<Element>("button")].indexOf(root.activeElement as Element);
  former.replaceWith(node);
  if (place >= 0) node.querySelectorAll("button")[place]?.focus();
}
