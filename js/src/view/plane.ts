// The plane of two parameters, in the place of the scene: the path, the cursor on it, and which two they are.
import { signal as createSignal } from "@preact/signals-core";
import { eachFrame, element, react, setAttributes } from "../dom";
import { atEnd, on } from "../listen";
import { type Ink, readInk } from "../plot/ink";
import { buildPlane, disc, type Plane, paintPlane, placeOf, rowAt } from "../plot/plane";
import { createSurface } from "../plot/surface";
import type { State } from "../state";
import type { Store } from "../store";
import { rangeOf } from "./picker";

export interface PlaneView {
  button: HTMLButtonElement;
  node: HTMLElement;
  /** Takes the keys that move the cursor. */
  stage: HTMLElement;
  recolour(): void;
}

export function createPlane(store: Store, state: State, root: HTMLElement, signal: AbortSignal): PlaneView {
  const button = element("button", { class: "action", "aria-controls": "plane" });
  const base = createSurface("ground");
  const overlay = createSurface("cursor");
  const stage = element("div", { class: "path", role: "group", tabindex: "0" }, base.canvas, overlay.canvas);
  const choices = ["horizontal axis", "vertical axis"].map((name) =>
    element("select", { class: "speed", "aria-label": name }),
  );
  const node = element(
    "div",
    { class: "plane", id: "plane" },
    stage,
    element("div", { class: "axes" }, ...choices),
  );
  /** Keys of the two series; those that moved most until the reader chooses. */
  const keys = createSignal<readonly number[]>([]);
  let plane: Plane | null = null;
  let ink: Ink | null = null;
  /** As the observer last told it: a size taken while the host changes its theme may last for that frame only. */
  let size = new DOMRect();

  const paintCursor = eachFrame(signal, () => {
    const { width, height } = plane ?? { width: 0, height: 0 };
    const context = overlay.begin(width, height);
    const row = state.row.peek();
    if (!context || !plane || !ink || row < 0) return;
    const [x, y] = placeOf(plane, row);
    if (!Number.isFinite(x + y)) return;
    context.fillStyle = ink.surface;
    disc(context, x, y, 7);
    context.fillStyle = ink.accent;
    disc(context, x, y, 5);
  });
  const paint = eachFrame(signal, () => {
    if (node.hidden || size.width <= 0) return;
    ink ??= readInk(root);
    plane = buildPlane(store, keys.peek(), size);
    const context = base.begin(size.width, size.height);
    const { loss_label, status } = store.head.peek();
    const end = status === "running" ? "now" : "end";
    if (context && plane) paintPlane(context, plane, loss_label || "loss", end, ink);
    paintCursor();
  });

  on(button, "click", () => {
    state.plane.value = !state.showsPlane.value;
    // It stands in the place of the scene, which may be out of sight.
    if (state.plane.value) node.scrollIntoView?.({ block: "nearest" });
  });
  react(signal, () => {
    const open = state.showsPlane.value;
    node.hidden = !open;
    button.hidden = !state.hasPlane.value;
    button.textContent = open ? "Hide the plane" : "Show the path in a plane";
    setAttributes(button, { "aria-expanded": open });
  });
  // The two that have moved most when it is first shown; they stay while the run grows.
  react(signal, () => {
    store.version.value;
    const series = store.series.value;
    const known = keys.value.filter((key) => series.some((each) => each.key === key));
    if (!state.showsPlane.value || known.length === 2) return;
    const moved = (key: number) => rangeOf(store, `p${key}`, `p${key}`) || 0;
    const most = series.map(({ key }) => key).sort((a, b) => moved(b) - moved(a));
    keys.value = most.slice(0, 2).sort((a, b) => a - b);
  });
  react(signal, () => {
    const series = store.series.value;
    for (const [place, choice] of choices.entries()) {
      choice.replaceChildren(
        ...series.map(({ key, label, name }) => element("option", { value: key }, label || name)),
      );
      choice.value = String(keys.value[place] ?? "");
    }
    const names = choices.map((choice) => choice.selectedOptions[0]?.text ?? "");
    setAttributes(stage, {
      "aria-label": `path in the plane of ${names.join(" and ")}, coloured by the loss`,
    });
  });
  for (const choice of choices) {
    on(choice, "change", () => {
      keys.value = choices.map(({ value }) => Number(value));
    });
  }
  react(signal, () => {
    store.version.value;
    store.series.value;
    store.head.value;
    store.fits.value;
    keys.value;
    if (state.showsPlane.value) paint();
  });
  react(signal, () => {
    state.row.value;
    if (state.showsPlane.value) paintCursor();
  });

  const follow = (event: PointerEvent) => {
    if (!plane || event.buttons !== 1) return;
    const { left, top } = stage.getBoundingClientRect();
    const row = rowAt(plane, event.clientX - left, event.clientY - top);
    state.playing.value = false;
    if (row >= 0) state.moveToRow(row);
  };
  on(stage, "pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  on(stage, "pointermove", follow);
  const observer = new ResizeObserver(() => {
    size = stage.getBoundingClientRect();
    paint();
  });
  observer.observe(stage);
  atEnd(signal, () => observer.disconnect());
  const recolour = () => {
    ink = null;
    paint();
  };
  return { button, node, stage, recolour };
}
