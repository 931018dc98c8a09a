// A model that is missing: a button that has the server download it, how far that is, and a button that ends it.
import { signal as createSignal } from "@preact/signals-core";
import { element, react, setAttributes, setText } from "../dom";
import type { Link } from "../link";
import { on } from "../listen";
import type { Store } from "../store";

/** `home` takes the focus of a button that goes. */
export function createPull(store: Store, link: Link, home: HTMLElement, signal: AbortSignal): HTMLElement {
  const problem = element("p", { class: "problem", "aria-live": "polite" });
  const get = element("button", { class: "head-button" });
  const fill = element("div", { class: "fill" });
  const bar = element(
    "div",
    { class: "progress", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    fill,
  );
  const text = element("span");
  const cancel = element("button", { class: "action" }, "Cancel");
  const going = element("div", { class: "going" }, bar, text, cancel);
  const note = element("p", { class: "hint" });
  const node = element("div", { class: "pull" }, problem, get, going, note);
  // While a cell runs the kernel may not answer: what was pressed is seen until it does.
  const pressed = createSignal<"get" | "cancel" | "">("");
  const press = (what: "get" | "cancel") => {
    if (pressed.value === what) return;
    pressed.value = what;
    link.pull(what === "cancel");
  };
  on(get, "click", () => press("get"));
  on(cancel, "click", () => press("cancel"));
  react(signal, () => {
    const { pull } = store.head.value.writer;
    const focused = (node.getRootNode() as ShadowRoot).activeElement as HTMLElement | null;
    node.hidden = !pull || !link.hasKernel.value;
    if (pressed.value === (pull?.going ? "get" : "cancel") || !pull) pressed.value = "";
    if (pull) {
      const { model, size, percent } = pull;
      setText(problem, pull.problem);
      setText(
        get,
        pressed.value ? "Begins when the kernel is free…" : `Get ${model}${size ? ` (${size})` : ""}`,
      );
      setText(cancel, pressed.value ? "Cancelling…" : "Cancel");
      get.hidden = pull.going;
      going.hidden = !pull.going;
      setAttributes(bar, {
        "aria-label": `download of ${model}`,
        "aria-valuenow": percent,
        "aria-valuetext": pull.text,
      });
      fill.style.width = percent === null ? "" : `${percent}%`;
      setText(text, pull.text);
      setText(note, pull.note);
    }
    if (!focused || !node.contains(focused) || !focused.closest("[hidden]")) return;
    ([get, cancel].find((other) => !other.closest("[hidden]")) ?? home).focus();
  });
  return node;
}
