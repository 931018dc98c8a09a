// One number of the reasons as a button: a bar or an arrow on either side of an axis, and the number across from it.
import { element, setAttributes, setText } from "../dom";
import { on } from "../listen";
import { type Cell, cellText, weightOf } from "../reasons-table";

/** Where a button stands, without its stretch. */
export type Place = Omit<Cell, "span">;

export interface CellNode extends Place {
  button: HTMLButtonElement;
  /** Shows a number; without a bar where its scale is 0. */
  show(value: number, scale: number, decimals: number, label: string): void;
}

export function createCell(place: Place, press: (place: Place) => void): CellNode {
  const bar = element("span", { class: "bar" });
  const text = element("span", { class: "amount" });
  const button = element("button", { class: "cell", tabindex: "-1" }, bar, text);
  button.classList.toggle("push", place.isPush);
  on(button, "click", () => press(place));
  return {
    ...place,
    button,
    show(value, scale, decimals, label) {
      setText(text, cellText(value, decimals, !place.isPush));
      setAttributes(button, { "aria-label": label });
      button.classList.toggle("lower", value < 0);
      button.dataset.weight = scale > 0 ? weightOf(value, scale) : "large";
      bar.hidden = scale === 0;
      bar.style.width = `${((Math.abs(value) / (scale || 1)) * 50).toFixed(1)}%`;
    },
  };
}

/** One button of a table is in the order of the tab key; arrow keys go to its neighbours. */
export function roam(table: HTMLTableElement): void {
  const lines = () =>
    [...table.rows].map((row) => [...row.querySelectorAll("button")]).filter((line) => line.length > 0);
  const enter = (button: HTMLElement | undefined) => {
    if (!button) return;
    for (const other of lines().flat()) other.tabIndex = other === button ? 0 : -1;
  };
  enter(lines()[0]?.[0]);
  on(table, "focusin", ({ target }) => enter(target as HTMLElement));
  on(table, "keydown", (event) => {
    const all = lines();
    const row = all.findIndex((line) => line.includes(event.target as HTMLButtonElement));
    const column = all[row]?.indexOf(event.target as HTMLButtonElement) ?? 0;
    const next = {
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      Home: [row, 0],
      End: [row, (all[row]?.length ?? 0) - 1],
    }[event.key];
    if (!next) return;
    all[next[0] as number]?.[next[1] as number]?.focus();
    event.preventDefault();
    event.stopPropagation();
  });
}
