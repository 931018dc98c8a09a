// The colours and fonts of the theme in force, read from the style sheet so that CSS is their only home.

export interface Ink {
  font: string;
  surface: string;
  plot: string;
  band: string;
  grid: string;
  text: string;
  muted: string;
  control: string;
  accent: string;
  onAccent: string;
  positive: string;
  negative: string;
  forward: string;
  backward: string;
  optimizer: string;
  watched: string;
  warning: string;
  series: string[];
  /** From the largest loss over the middle to the least. */
  path: string[];
}

export const SERIES_COLOURS = 8;
const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

export function readInk(root: HTMLElement): Ink {
  const style = getComputedStyle(root);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim() || "gray";
  return {
    font: style.fontFamily || "system-ui",
    surface: token("surface"),
    plot: token("plot"),
    band: token("band"),
    grid: token("grid"),
    text: token("text"),
    muted: token("muted"),
    control: token("control"),
    accent: token("accent"),
    onAccent: token("on-accent"),
    positive: token("positive"),
    negative: token("negative"),
    forward: token("forward"),
    backward: token("backward"),
    optimizer: token("optimizer"),
    watched: token("watched"),
    warning: token("warning"),
    series: Array.from({ length: SERIES_COLOURS }, (_, index) => token(`series-${index}`)),
    path: [token("path-high"), token("path-middle"), token("path-low")],
  };
}

/** The name of a series' colour in the style sheet; colours repeat after eight, with other dashes. */
export function seriesColour(index: number): string {
  return `var(--series-${index % SERIES_COLOURS})`;
}

export function seriesDash(index: number): readonly number[] {
  return DASHES[Math.floor(index / SERIES_COLOURS) % DASHES.length] ?? [];
}
