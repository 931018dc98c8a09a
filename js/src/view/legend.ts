// Under the plots: one button a series with its value at the cursor. A click isolates it, a second restores.
import { signal as createSignal } from "@preact/signals-core";
import { element, react, setAttributes, setText } from "../dom";
import { formatCount, formatNumber, formatWithUnit } from "../format";
import { seriesColour, seriesDash } from "../plot/ink";
import type { Series } from "../protocol";
import type { State } from "../state";
import type { Store } from "../store";

interface Entry {
  series: Series;
  button: HTMLButtonElement;
  value: HTMLElement;
}

export function createLegend(store: Store, state: State, signal: AbortSignal): HTMLElement {
  const list = element("div", { class: "legend", role: "group", "aria-label": "parameters" });
  const showHidden = createSignal(false);
  let entries: Entry[] = [];

  react(signal, () => {
    const all = store.series.value;
    entries = all
      .map((series, index) => ({ series, index }))
      .filter(({ series }) => series.shown !== false || showHidden.value)
      .map(({ series, index }) => createEntry(series, index, state));
    const hidden = all.length - all.filter(({ shown }) => shown !== false).length;
    list.replaceChildren(...entries.map(({ button }) => button));
    if (hidden > 0) {
      const text = showHidden.value ? "show fewer" : `${formatCount(hidden)} more…`;
      const more = element("button", { type: "button", class: "more" }, text);
      more.addEventListener("click", () => {
        showHidden.value = !showHidden.value;
      });
      list.append(more);
    }
  });
  react(signal, () => {
    store.series.value;
    showHidden.value;
    const selected = state.selected.value;
    for (const { button, series } of entries) {
      const isolated = selected.includes(series.name);
      setAttributes(button, { "aria-pressed": isolated ? "true" : "false" });
      button.classList.toggle("faded", selected.length > 0 && !isolated);
    }
  });
  react(signal, () => {
    store.version.value;
    store.series.value;
    showHidden.value;
    const row = state.row.value;
    for (const { series, button, value } of entries) {
      const gradient = store.history.value(`g${series.key}`, row);
      setText(value, row < 0 ? "" : formatWithUnit(store.history.value(`p${series.key}`, row), series.unit));
      button.title = describe(series, row < 0 ? Number.NaN : gradient);
    }
  });
  return list;
}

function createEntry(series: Series, index: number, state: State): Entry {
  const dashes = ["solid", "dashed", "dotted", "dashed"];
  const swatch = element("span", {
    class: "swatch",
    "aria-hidden": "true",
    style: `border-top-color:${seriesColour(index)};border-top-style:${seriesDash(index).length ? dashes[Math.floor(index / 8) % 4] : "solid"}`,
  });
  const value = element("span", { class: "value" });
  const name = element("span", { class: "name" }, labelOf(series));
  const button = element(
    "button",
    { type: "button", class: "entry", "aria-pressed": "false" },
    swatch,
    name,
    value,
  );
  button.addEventListener("click", (event) =>
    state.isolate(series.name, event.shiftKey || event.ctrlKey || event.metaKey),
  );
  return { series, button, value };
}

/** A series that summarizes many numbers says how. */
function labelOf({ label, name, statistic }: Series): string {
  const text = label || name;
  return statistic && !text.includes(statistic) ? `${text} (${statistic})` : text;
}

function describe(series: Series, gradient: number): string {
  const lines = [labelOf(series), series.description];
  if (!Number.isNaN(gradient)) lines.push(`gradient ${formatNumber(gradient)}`);
  if (series.truth !== null) lines.push(`truth ${formatWithUnit(series.truth, series.unit)}`);
  return lines.filter(Boolean).join("\n");
}
