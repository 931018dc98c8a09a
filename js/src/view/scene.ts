// The picture of the simulation at the cursor: the nearest one at or before it at once, the exact one from
// the kernel as soon as the cursor rests. The old picture stays until the new one is decoded: no flicker.
import { element, react, setText } from "../dom";
import { formatCount } from "../format";
import type { Link } from "../link";
import { atEnd } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import type { Frame } from "../wire";

/** The cursor rests this long (ms) before the kernel is asked for a picture. */
const REST = 120;

export function createScene(store: Store, state: State, link: Link, signal: AbortSignal): HTMLElement {
  const image = element("img", { alt: "", draggable: "false" });
  const note = element("p", { class: "scene-note" });
  const node = element("div", { class: "scene" }, image, note);
  image.hidden = true;
  let shown: Frame | null = null;

  const show = async (frame: Frame) => {
    shown = frame;
    const url = URL.createObjectURL(new Blob([frame.bytes], { type: frame.type }));
    const loader = new Image();
    loader.src = url;
    try {
      await loader.decode();
    } catch {
      URL.revokeObjectURL(url);
      return;
    }
    if (shown !== frame || signal.aborted) return URL.revokeObjectURL(url);
    const former = image.src;
    image.src = url;
    image.alt = `simulation at ${store.noun.peek()} ${frame.iteration}`;
    image.width = frame.width;
    image.height = frame.height;
    image.hidden = false;
    if (former) URL.revokeObjectURL(former);
  };

  react(signal, () => {
    store.version.value;
    const { has_scene, status } = store.head.value;
    node.hidden = state.showsPlane.value || !has_scene || (status !== "running" && store.history.rows === 0);
  });
  react(signal, () => {
    store.framesVersion.value;
    const iteration = state.iteration.value;
    const frame = store.frameAt(iteration);
    if (frame && frame !== shown) void show(frame);
    setText(note, noteFor(store, frame, iteration, link.hasKernel.value));
  });
  askWhenResting(store, state, link, signal);
  atEnd(signal, () => URL.revokeObjectURL(image.src));
  return node;
}

/** Says so where the picture is not the cursor's. */
function noteFor(store: Store, frame: Frame | null, iteration: number, drawn: boolean): string {
  const error = store.frameError.value;
  if (error && (!frame || error.iteration === iteration)) return error.text;
  if (!frame) return drawn ? "the scene appears here" : "Pictures of the scene need a running kernel.";
  return frame.iteration === iteration
    ? ""
    : `picture of ${store.noun.value} ${formatCount(frame.iteration)}`;
}

function askWhenResting(store: Store, state: State, link: Link, signal: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  react(signal, () => {
    const { has_scene, status } = store.head.value;
    const iteration = state.iteration.value;
    const idle = link.hasKernel.value && has_scene && status !== "running" && state.row.value >= 0;
    clearTimeout(timer);
    if (!idle || store.frames.has(iteration)) return;
    timer = setTimeout(() => link.requestScene(iteration), REST);
  });
  atEnd(signal, () => clearTimeout(timer));
}
