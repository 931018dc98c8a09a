// The foot: play, speed, the slider that is the cursor for keyboards and screen readers, and a hint.
import { element, react, setAttributes } from "../dom";
import { storyOf } from "../fits";
import { formatCount, formatWithUnit } from "../format";
import type { Link } from "../link";
import { atEnd, on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { labelOf } from "./legend";
import { createZoomBar } from "./zoom-bar";

const SPEEDS = [1, 4, 16];
/** At speed 1 a short run plays this many iterations a second, a long one takes this many seconds. */
const ITERATIONS_PER_SECOND = 8;
const LONGEST_SECONDS = 12;
/** Parameters whose values a screen reader hears with the iteration. */
const MOST_HEARD = 3;

export interface Foot {
  node: HTMLElement;
  slider: HTMLInputElement;
}

export function createFoot(store: Store, state: State, link: Link, signal: AbortSignal): Foot {
  const play = element("button", { class: "play" }, element("span", { class: "icon" }));
  const speed = element("select", { class: "speed", "aria-label": "speed" });
  for (const value of SPEEDS) speed.append(element("option", { value }, `${value}×`));
  const slider = element("input", {
    type: "range",
    class: "slider",
    "aria-label": "iteration",
    min: 0,
    step: 1,
  });
  const position = element("span", { class: "position" });
  const node = element(
    "div",
    { class: "foot" },
    play,
    speed,
    slider,
    position,
    createZoomBar(store, state, link, signal),
  );

  on(play, "click", () => {
    state.playing.value = !state.playing.value;
  });
  on(speed, "change", () => {
    state.speed.value = Number(speed.value);
  });
  on(slider, "input", () => {
    state.playing.value = false;
    state.moveTo(Number(slider.value));
  });
  react(signal, () => {
    const playing = state.playing.value;
    setAttributes(play, {
      "aria-label": playing ? "pause" : "play",
      title: playing ? "pause (Space)" : "play (Space)",
    });
    play.classList.toggle("playing", playing);
  });
  react(signal, () => {
    store.version.value;
    const { history, head } = store;
    const iteration = state.iteration.value;
    const empty = state.row.value < 0;
    slider.disabled = play.disabled = speed.disabled = empty;
    slider.min = String(history.firstIteration);
    slider.max = String(Math.max(history.lastIteration, history.firstIteration));
    slider.value = String(iteration);
    const { compared } = head.value;
    setAttributes(slider, {
      "aria-valuenow": iteration,
      "aria-valuemin": history.firstIteration,
      "aria-valuemax": history.lastIteration,
      "aria-valuetext": empty
        ? `no ${store.noun.value}s yet`
        : [`${store.noun.value} ${iteration}`, ...(compared ? [] : heardAt(store, state))].join(", "),
    });
    const share =
      (iteration - history.firstIteration) / Math.max(1, history.lastIteration - history.firstIteration);
    slider.style.setProperty("--share", `${100 * share}%`);
    // As wide as it will ever be: the slider beside it keeps its length.
    position.style.minWidth = `${store.noun.value.length + 3 + 2 * formatCount(history.lastIteration).length}ch`;
    position.replaceChildren(
      `${store.noun.value} `,
      element("b", {}, empty ? "–" : formatCount(iteration)),
      empty ? "" : ` of ${formatCount(history.lastIteration)}`,
    );
  });
  runPlayback(store, state, signal);
  return { node, slider };
}

/** What a screen reader says of the cursor: the loss, and the first of the parameters that are shown, or shown alone. */
function heardAt({ history, head, series }: Store, state: State): string[] {
  const { loss_label, loss_unit } = head.value;
  const say = (name: string, key: string, unit: string) =>
    `${name} ${formatWithUnit(history.value(key, state.row.value), unit)}`;
  const alone = state.selected.value;
  const heard = series.value.filter(({ key, name, shown }) =>
    alone.length > 0 ? alone.includes(name) : state.isShown(`p${key}`, shown),
  );
  return [
    say(loss_label || "loss", "loss", loss_unit),
    ...heard.slice(0, MOST_HEARD).map((each) => say(labelOf(each), `p${each.key}`, each.unit)),
  ];
}

/** Moves the cursor with the clock while playing, to the end of what is told of; starts over when it stands there. */
function runPlayback(store: Store, state: State, signal: AbortSignal): void {
  let request = 0;
  const stop = () => cancelAnimationFrame(request);
  react(signal, () => {
    stop();
    if (!state.playing.value) return;
    const { history } = store;
    if (state.row.peek() >= storyOf(store).to - 1) state.moveToRow(storyOf(store).from);
    let position = state.iteration.peek();
    let former = performance.now();
    const tick = (now: number) => {
      // By iterations, of which some may have no row.
      const { from, to } = storyOf(store);
      const firstIteration = history.value("iteration", from);
      const lastIteration = history.value("iteration", to - 1);
      const rate = Math.max(ITERATIONS_PER_SECOND, (lastIteration - firstIteration) / LONGEST_SECONDS);
      position = Math.min(position + ((now - former) / 1000) * rate * state.speed.peek(), lastIteration);
      former = now;
      const row = history.rowAt(position);
      if (row !== state.row.peek()) state.moveToRow(row);
      if (position >= lastIteration) state.playing.value = false;
      else request = requestAnimationFrame(tick);
    };
    request = requestAnimationFrame(tick);
  });
  atEnd(signal, stop);
}
