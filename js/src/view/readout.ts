// Beside the track: play, where the cursor is, the loss there, and two quantities more.
import { element, react, setAttributes, setText } from "../dom";
import { formatCount, formatWithUnit } from "../format";
import { on } from "../listen";
import { FOLLOW, type State } from "../state";
import type { Store } from "../store";
import { labelOf } from "./legend";
import { dot } from "./says";

const MOST = 2;
const MOST_RUNS = 3;

export function createReadout(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const play = element("button", { class: "play" }, element("span", { class: "icon" }));
  const position = element("p", { class: "position" });
  const newest = element("button", { class: "action newest" }, "Newest");
  const loss = element("p", { class: "loss-now" });
  const others = element("dl", { class: "others-now" });
  on(play, "click", () => {
    state.playing.value = !state.playing.value;
  });
  on(newest, "click", () => state.follow());
  react(signal, () => {
    const playing = state.playing.value;
    const name = playing ? "pause" : "play";
    setAttributes(play, { "aria-label": name, title: `${name} (Space)` });
    play.classList.toggle("playing", playing);
  });
  react(signal, () => {
    store.version.value;
    const { history } = store;
    const { status, loss_label, loss_unit, compared } = store.head.value;
    const row = state.row.value;
    const empty = row < 0;
    play.disabled = empty;
    const follows = status === "running" && state.cursor.value === FOLLOW;
    newest.hidden = status !== "running" || follows || empty;
    position.hidden = empty;
    const now = formatCount(state.iteration.value);
    position.replaceChildren(
      element("span", { class: "noun" }, `${store.noun.value} `),
      element("b", {}, now),
      element("span", {}, follows ? " · newest" : ` of ${formatCount(history.lastIteration)}`),
    );
    loss.replaceChildren(`${loss_label || "loss"} `);
    if (!compared && !empty)
      loss.append(element("b", {}, formatWithUnit(history.value("loss", row), loss_unit)));
    loss.hidden = empty;
    showOthers(others, read(store, row));
  });
  return element(
    "div",
    { class: "readout" },
    play,
    element("div", { class: "now" }, position, loss, newest),
    others,
  );
}

interface Reading {
  name: string;
  value: string;
  colour?: number;
}

/** Of several runs, each; else the first watched quantities that have one number, or the first parameters. */
function read(store: Store, row: number): Reading[] {
  if (row < 0) return [];
  const { history, series, watched, head, groups } = store;
  if (head.value.compared) {
    const losses = series.value.filter(({ group }) => group === groups.value[0]?.key);
    return losses.slice(0, MOST_RUNS).map(({ key, name, unit, colour }) => {
      let last = row;
      while (last > 0 && Number.isNaN(history.value(`p${key}`, last))) last--;
      return {
        name,
        value: formatWithUnit(history.value(`p${key}`, last), unit),
        ...(colour === undefined ? {} : { colour }),
      };
    });
  }
  const quantities = watched.value
    .filter(({ several, shown, name }) => !several && shown && name !== head.value.loss_label)
    .map(({ key, name, unit }) => ({ name, value: formatWithUnit(history.value(`w${key}`, row), unit) }));
  const parameters = series.value
    .filter(({ shown }) => shown)
    .map((each, colour) => ({
      name: labelOf(each),
      value: formatWithUnit(history.value(`p${each.key}`, row), each.unit),
      colour,
    }));
  return (quantities.length > 0 ? quantities : parameters).slice(0, MOST);
}

function showOthers(list: HTMLElement, readings: readonly Reading[]): void {
  if (list.childElementCount !== 2 * readings.length) {
    list.replaceChildren(...readings.flatMap(() => [element("dt"), element("dd")]));
  }
  readings.forEach(({ name, value, colour }, index) => {
    const [term, number] = [list.children[2 * index], list.children[2 * index + 1]] as [
      HTMLElement,
      HTMLElement,
    ];
    if (term.textContent !== name) term.replaceChildren(...(colour === undefined ? [] : [dot(colour)]), name);
    term.title = name;
    setText(number, value);
  });
}
