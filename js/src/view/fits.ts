// Of a run of several fits, or of several objectives: which one is told of, as a choice where a kernel can tell of
// another; and the button that lays the fits over each other.
import { element, react, setAttributes, setText } from "../dom";
import { fitInWords, fitsToChoose } from "../fits";
import type { Link } from "../link";
import { on } from "../listen";
import { FOLLOW, type State } from "../state";
import type { Store } from "../store";

export function createFits(store: Store, state: State, link: Link, signal: AbortSignal): HTMLElement {
  const told = element("span", { class: "pill long" });
  const canChoose = () => link.hasKernel.value && store.head.value.status !== "running";
  const fits = createChoice(
    "fit",
    () => {
      const found = fitsToChoose(store).map(({ fit, text }): [number, string] => [fit, `${fit} · ${text}`]);
      return { found, shown: store.fits.value?.shown ?? 0, hidden: !canChoose() };
    },
    (fit) => link.choose({ type: "fit", fit }),
  );
  const objectives = createChoice(
    "objective",
    () => {
      const { names, shown } = store.objectives.value ?? { names: [], shown: 0 };
      return {
        found: names.map((name, place): [number, string] => [place, name]),
        shown,
        hidden: !canChoose(),
      };
    },
    (objective) => link.choose({ type: "objective", objective }),
  );

  function createChoice(
    name: string,
    read: () => { found: [value: number, text: string][]; shown: number; hidden: boolean },
    send: (value: number) => void,
  ): HTMLElement {
    const choice = element("select", { class: "speed", "aria-label": name });
    const node = element("label", { class: "fit" }, `${name} `, choice);
    let awaited = -1;
    on(choice, "change", () => {
      awaited = Number(choice.value);
      send(awaited);
      setAttributes(choice, { "aria-busy": true });
    });
    react(signal, () => {
      const { found, shown, hidden } = read();
      node.hidden = hidden || found.length < 2;
      const texts = found.map(([, text]) => text);
      if (texts.join() !== [...choice.options].map(({ text }) => text).join()) {
        choice.replaceChildren(...found.map(([value, text]) => element("option", { value }, text)));
      }
      choice.value = String(shown);
      choice.title = choice.selectedOptions[0]?.text ?? "";
      setAttributes(choice, { "aria-busy": null });
      // What the reader asked for has come: its end is what there is to see.
      if (shown !== awaited) return;
      awaited = -1;
      state.playing.value = false;
      state.span.value = null;
      state.cursor.value = FOLLOW;
    });
    return node;
  }

  react(signal, () => {
    const text = canChoose() ? "" : fitInWords(store);
    told.hidden = !text;
    setText(told, text);
    told.title = text;
  });
  // Other names, other numbers.
  let shown = 0;
  react(signal, () => {
    const now = store.objectives.value?.shown ?? 0;
    if (now === shown) return;
    shown = now;
    state.selected.value = [];
    state.toggled.value = new Set();
    state.view.value = null;
  });
  return element("span", { class: "fits" }, objectives, fits, told);
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
