// The large picture: the scene at the cursor; without one the path in a plane, or what moved.
import { element, react, setAttributes, setText } from "../dom";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";

export function createStage(
  pictures: readonly HTMLElement[],
  store: Store,
  state: State,
  signal: AbortSignal,
): HTMLElement {
  const widen = element("button", { class: "widen" });
  on(widen, "click", () => {
    state.wideScene.value = !state.wideScene.value;
  });
  react(signal, () => {
    const wide = state.wideScene.value;
    const label = wide ? "smaller scene" : "larger scene";
    setAttributes(widen, { "aria-label": label, title: label, "aria-pressed": wide });
    setText(widen, wide ? "⤡" : "⤢");
  });
  react(signal, () => {
    const { has_scene, status } = store.head.value;
    store.version.value;
    widen.hidden =
      !(has_scene || state.showsPlane.value) || (status !== "running" && store.history.rows === 0);
  });
  return element("div", { class: "scenery" }, ...pictures, widen);
}
