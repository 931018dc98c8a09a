// The parts that a run is told in: what captions tell of, in order. No DOM.
import { storyOf } from "./fits";
import type { Caption } from "./protocol";
import { covers } from "./state";
import type { Store } from "./store";

/** The chapters; where no part was found, the summary is the only one. */
export function chaptersOf(store: Store): Caption[] {
  const captions = store.captions.value;
  const chapters = captions.filter(({ role }) => role === "chapter");
  return chapters.length > 0 ? chapters : captions.filter(({ role }) => role === "summary").slice(0, 1);
}

/** The last of the chapters that have begun; −1 where there is none. */
export function chapterAt(chapters: readonly Caption[], iteration: number): number {
  return Math.max(
    chapters.findLastIndex(({ span }) => span[0] <= iteration && iteration !== span[0]),
    chapters.findIndex(({ span }) => covers(span, iteration)),
  );
}

/** What a chapter is called; one alone is of the whole run. */
export function titleOf({ heading }: Caption, store: Store): string {
  const isAlone = chaptersOf(store).length === 1 && store.history.rows > 0 && !store.head.value.compared;
  if (!isAlone) return heading;
  const [first, last] = storyOf(store).fits;
  if (!store.fits.value) return "Whole run";
  return first > 0 && first === last ? `Fit ${first}` : "These fits";
}

/** First and last row of what is told of. */
export function endsOf(store: Store): [first: number, last: number] {
  const { from, to } = storyOf(store);
  return [from, to - 1];
}
