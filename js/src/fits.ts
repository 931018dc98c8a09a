// Which rows belong together: the fit that is told of, other fits, and evaluations of no fit. No DOM.
import { formatCount } from "./format";
import type { Fits, Span, Stretch } from "./protocol";
import type { Store } from "./store";

export interface Part {
  kind: "story" | "fit" | "look";
  /** Its first row, and the one after its last. */
  from: number;
  to: number;
  /** Numbers of its first and its last fit, from 1; 0 where there is none, −1 where they are not told apart. */
  fits: Span;
  /** The row with its lowest loss. */
  best: number;
}

/** In order; where all evaluations are one story, that is the only part. */
export function partsOf(store: Store): Part[] {
  const { history } = store;
  const known = store.fits.value;
  const parts = known && history.rows > 0 ? partsOfFits(store, known) : [wholeOf(history.rows)];
  // Where an optimizer has begun since: what is to be told of that is not known yet.
  for (const begin of store.begins.value) {
    const last = parts.at(-1) as Part;
    const from = history.rowFrom(begin);
    if (from <= last.from || from >= last.to) continue;
    parts.push({ kind: "fit", from, to: last.to, fits: [0, 0], best: last.to - 1 });
    last.to = from;
  }
  return parts;
}

function wholeOf(rows: number): Part {
  return { kind: "story", from: 0, to: rows, fits: [0, 0], best: 0 };
}

function partsOfFits({ history }: Store, known: Fits): Part[] {
  const [start, stop] = known.story;
  const end = known.stretches.at(-1)?.stop ?? 0;
  // Rows that have come since belong to what came last.
  const rowAt = (iteration: number) => (iteration >= end ? history.rows : history.rowFrom(iteration));
  const told = known.stretches.filter((each) => isWithin(each, known.story) && each.fit > 0);
  const story: Part = {
    kind: "story",
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

/** The fits that can be told of; none where there is one story. */
export function fitsToChoose(store: Store): Stretch[] {
  const known = store.fits.value;
  const fits = known?.stretches.filter(({ fit }) => fit > 0) ?? [];
  return known && fits.some((each) => !isWithin(each, known.story)) ? fits : [];
}

/** Which fit is told of, for those who cannot choose or do not see it; empty where there is one story alone. */
export function fitInWords(store: Store): string {
  const fits = fitsToChoose(store);
  const shown = fits.find(({ fit }) => fit === store.fits.value?.shown);
  return shown ? `fit ${shown.fit} of ${formatCount(store.fits.value?.count ?? 0)} · ${shown.text}` : "";
}

function isWithin({ start, stop }: Stretch, [first, end]: Span): boolean {
  return start >= first && stop <= end;
}
