// What the recording has to say about itself: at the widget's lower edge, where it pushes nothing away, and
// counted in the head.
import { computed, type ReadonlySignal } from "@preact/signals-core";
import { element, react, reconcile } from "../dom";
import type { Store } from "../store";

const INCOMPLETE = "Some numbers have not arrived here yet. They are fetched as soon as the kernel is free.";

export interface Notices {
  node: HTMLElement;
  count: ReadonlySignal<number>;
}

export function createNotices(store: Store, signal: AbortSignal): Notices {
  const texts = computed(() => {
    // Where nothing was recorded, one of them is the whole text.
    const told = store.captions.value.map(({ parts }) => parts.map(({ text }) => text).join(""));
    const found = store.head.value.notices.filter((notice) => !told.includes(notice));
    if (store.problem.value) found.push(store.problem.value);
    if (store.incomplete.value) found.push(INCOMPLETE);
    return [...new Set(found)];
  });
  const node = element("ul", { class: "notices", role: "list", "aria-label": "notices", tabindex: "-1" });
  const former = new Map();
  react(signal, () => {
    node.hidden = texts.value.length === 0;
    reconcile(
      node,
      texts.value,
      (text) => text,
      (text) => element("li", { class: "notice" }, text),
      former,
    );
  });
  return { node, count: computed(() => texts.value.length) };
}
