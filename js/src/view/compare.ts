// The Compare button: lays this run over others that the kernel has, in a view of its own below this one.
import { element, react, setText } from "../dom";
import type { Link } from "../link";
import { on } from "../listen";
import type { OtherRun } from "../protocol";
import type { Store } from "../store";
import { createPopup } from "./popup";

export function createCompare(
  store: Store,
  link: Link,
  show: (packet: Uint8Array) => void,
  signal: AbortSignal,
): HTMLElement {
  const list = element("ul", { role: "list" });
  const note = element("p", { class: "hint", "aria-live": "polite" });
  const go = element("button", { class: "head-button" }, "Lay over this run");
  const popup = createPopup("Compare", "compare", signal, () => void fill());
  popup.sheet.append(list, go, note);
  let boxes: { id: string; box: HTMLInputElement }[] = [];

  async function fill(): Promise<void> {
    list.replaceChildren();
    boxes = [];
    go.hidden = true;
    setText(note, "Looking for other runs…");
    const runs = await link.requestRuns();
    if (signal.aborted) return;
    boxes = runs.map(({ id }) => ({ id, box: element("input", { type: "checkbox" }) }));
    list.replaceChildren(...runs.map((run, index) => createChoice(run, boxes[index]?.box ?? null)));
    go.hidden = runs.length === 0;
    const none = "There is no other run yet. In Python: xi.compare(first, second)";
    setText(note, runs.length === 0 ? none : "");
  }

  async function layOver(chosen: string[]): Promise<void> {
    setText(note, "The runs are laid over each other…");
    try {
      const packet = await link.requestComparison(chosen);
      if (signal.aborted) return;
      setText(note, "");
      popup.close();
      show(packet);
    } catch (error) {
      setText(note, (error as Error).message);
    }
  }

  on(go, "click", () => {
    const chosen = boxes.filter(({ box }) => box.checked).map(({ id }) => id);
    if (chosen.length === 0) setText(note, "Choose a run first.");
    else void layOver(chosen);
  });
  // Other runs are in the kernel.
  react(signal, () => {
    popup.node.hidden = store.head.value.compared || !link.hasKernel.value;
  });
  return popup.node;
}

function createChoice({ name, state }: OtherRun, box: HTMLInputElement | null): HTMLElement {
  const words = [element("span", { class: "name" }, name), element("span", { class: "hint" }, state)];
  return element("li", {}, element("label", { class: "choice" }, box, ...words));
}
