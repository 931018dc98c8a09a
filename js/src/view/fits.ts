// Of a run of several fits: which one is told of, as a choice where a kernel can tell of another; and the button that
// lays the fits over each other.
import { element, react, setAttributes, setText } from "../dom";
import { fitInWords, fitsToChoose } from "../fits";
import type { Link } from "../link";
import { on } from "../listen";
import { FOLLOW, type State } from "../state";
import type { Store } from "../store";

export function createFits(store: Store, state: State, link: Link, signal: AbortSignal): HTMLElement {
  const choice = element("select", { class: "speed", "aria-label": "fit" });
  const told = element("span", { class: "pill long" });
  const chooser = element("label", { class: "fit" }, "fit ", choice);
  const node = element("span", { class: "fits" }, chooser, told);
  let awaited = 0;

  on(choice, "change", () => {
    awaited = Number(choice.value);
    link.chooseFit(awaited);
    setAttributes(choice, { "aria-busy": true });
  });
  react(signal, () => {
    const fits = fitsToChoose(store);
    const canChoose = link.hasKernel.value && store.head.value.status !== "running";
    node.hidden = fits.length === 0;
    chooser.hidden = !canChoose;
    told.hidden = canChoose;
    setText(told, fitInWords(store));
    told.title = told.textContent ?? "";
    const texts = fits.map(({ fit, text }) => `${fit} · ${text}`);
    if (texts.join() !== [...choice.options].map(({ text }) => text).join()) {
      choice.replaceChildren(
        ...fits.map(({ fit }, place) => element("option", { value: fit }, texts[place] ?? "")),
      );
    }
    const shown = store.fits.value?.shown ?? 0;
    choice.value = String(shown);
    choice.title = choice.selectedOptions[0]?.text ?? "";
    setAttributes(choice, { "aria-busy": null });
    // What the reader asked for has come: its end is what there is to see.
    if (shown === awaited) {
      awaited = 0;
      state.playing.value = false;
      state.span.value = null;
      state.cursor.value = FOLLOW;
    }
  });
  return node;
}

export function createFitsCompared(
  store: Store,
  link: Link,
  show: (packet: Uint8Array) => void,
  signal: AbortSignal,
): HTMLElement {
  const button = element("button", { class: "action" }, "Compare the fits");
  const note = element("span", { class: "hint", "aria-live": "polite" });
  on(button, "click", async () => {
    setText(note, "The fits are laid over each other…");
    try {
      const packet = await link.requestFits();
      if (signal.aborted) return;
      setText(note, "");
      show(packet);
    } catch (error) {
      setText(note, (error as Error).message);
    }
  });
  const node = element("span", {}, button, note);
  react(signal, () => {
    node.hidden =
      fitsToChoose(store).length < 2 || !link.hasKernel.value || store.head.value.status === "running";
  });
  return node;
}
