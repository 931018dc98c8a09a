// Which rows belong together: the fit that is told of, other fits, and evaluations of no fit. No DOM.
import { formatCount } from "./format";
import type { Span, Stretch } from "./protocol";
import type { Store } from "./store";

export interface Part {
  kind: "story" | "fit" | "look";
  /** Its first row, and the one after its last. */
  from: number;
  to: number;
  /** Numbers of its first and its last fit, from 1; 0 where there is none. */
  fits: Span;
  /** The row with its lowest loss. */
  best: number;
}

/** In order; where all evaluations are one story, that is the only part. */
export function partsOf(store: Store): Part[] {
  const { history } = store;
  const known = store.fits.value;
  const whole: Part = { kind: "story", from: 0, to: history.rows, fits: [0, 0], best: 0 };
  const last = known?.stretches.at(-1);
  if (!known || !last || history.rows === 0) return [whole];
  const [start, stop] = known.story;
  // Rows that have come since belong to what came last.
  const rowAt = (iteration: number) =>
    iteration >= last.stop ? history.rows : history.rowFrom(Math.max(iteration, 0));
  const told = known.stretches.filter((each) => isWithin(each, known.story) && each.fit > 0);
  const story: Part = {
    ...whole,
    from: rowAt(start),
    to: rowAt(stop),
    fits: [told[0]?.fit ?? 0, told.at(-1)?.fit ?? 0],
    best: rowAt(known.stretches.find(({ fit }) => fit === known.shown)?.best ?? start),
  };
  const others = known.stretches
    .filter((each) => !isWithin(each, known.story))
    .map(
      (each): Part => ({
        kind: each.fit > 0 ? "fit" : "look",
        from: rowAt(each.start),
        to: rowAt(each.stop),
        fits: [each.fit, each.fit],
        best: rowAt(each.best),
      }),
    );
  return [...others, story].sort((one, other) => one.from - other.from).filter(({ from, to }) => to > from);
}

/** The part with a row. */
export function partAt(store: Store, row: number): Part | undefined {
  return partsOf(store).find(({ from, to }) => row >= from && row < to);
}

/** What is told of. */
export function storyOf(store: Store): Part {
  const parts = partsOf(store);
  return parts.find(({ kind }) => kind === "story") ?? (parts[0] as Part);
}

/** Whether there is more than one story to tell. */
export function fitsToChoose(store: Store): Stretch[] {
  const known = store.fits.value;
  const fits = known?.stretches.filter(({ fit }) => fit > 0) ?? [];
  return known && fits.some((each) => !isWithin(each, known.story)) ? fits : [];
}

/** Which fit is told of, for those who cannot choose or do not see it; empty where there is one story alone. */
export function fitInWords(store: Store): string {
  const fits = fitsToChoose(store);
  const shown = fits.find(({ fit }) => fit === store.fits.value?.shown);
  return shown ? `fit ${shown.fit} of ${formatCount(fits.length)} · ${shown.text}` : "";
}

function isWithin({ start, stop }: Stretch, [first, end]: Span): boolean {
  return start >= first && stop <= end;
}
