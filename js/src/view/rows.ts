// Rows of a long list, of which only those in sight exist. A row is as high as its text needs: guessed until
// it has been seen once.
import { eachFrame, reconcile } from "../dom";
import { atEnd, on } from "../listen";

/** Rows are made this far (pixels) beyond what is seen. */
const MARGIN = 300;
/** A place without a layout (not shown yet) is taken to be this high. */
const UNKNOWN_HEIGHT = 400;

export interface Rows<T> {
  /** Shows these items; where the reader stands in the list stays. */
  show(items: readonly T[]): void;
  /** Scrolls, as little as needed, so that an item is seen. */
  reveal(index: number): void;
}

interface Parts<T> {
  /** Scrolls; `body` lies in it. */
  scroll: HTMLElement;
  body: HTMLElement;
  keyOf: (item: T) => string;
  make: (item: T) => HTMLElement;
  /** The height (pixels) of a row that has not been seen. */
  guess: number;
  /** Called with each row that exists after each change. */
  mark: (node: HTMLElement, item: T, index: number) => void;
}

export function createRows<T>(parts: Parts<T>, signal: AbortSignal): Rows<T> {
  const { scroll, body, keyOf, make, guess, mark } = parts;
  const heights = new Map<string, number>();
  const former = new Map();
  let items: readonly T[] = [];
  /** Where each row begins; one more for the end. */
  let starts: number[] = [0];

  const measure = () => {
    starts = [0];
    for (const [index, item] of items.entries()) {
      starts.push((starts[index] ?? 0) + (heights.get(keyOf(item)) ?? guess));
    }
  };
  /** The first row that ends below a place. */
  const rowAt = (place: number) => {
    const index = starts.findIndex((_, row) => (starts[row + 1] ?? Number.POSITIVE_INFINITY) > place);
    return Math.min(index, items.length);
  };
  const room = () => scroll.clientHeight || UNKNOWN_HEIGHT;

  const render = () => {
    const from = rowAt(scroll.scrollTop - MARGIN);
    const to = Math.min(rowAt(scroll.scrollTop + room() + MARGIN) + 1, items.length);
    const seen = items.slice(from, to);
    reconcile(body, seen, keyOf, make, former);
    let wrong = false;
    seen.forEach((item, place) => {
      const node = body.children[place] as HTMLElement;
      mark(node, item, from + place);
      const height = node.offsetHeight;
      wrong ||= height > 0 && height !== (heights.get(keyOf(item)) ?? guess);
      if (height > 0) heights.set(keyOf(item), height);
    });
    if (wrong) measure();
    body.style.paddingTop = `${starts[from] ?? 0}px`;
    body.style.paddingBottom = `${(starts[items.length] ?? 0) - (starts[to] ?? 0)}px`;
  };

  on(scroll, "scroll", eachFrame(signal, render), { signal, passive: true });
  let width = 0;
  const observer = new ResizeObserver(() => {
    // Texts break elsewhere.
    if (scroll.clientWidth !== width) heights.clear();
    width = scroll.clientWidth;
    measure();
    render();
  });
  observer.observe(scroll);
  atEnd(signal, () => observer.disconnect());

  return {
    show(wanted) {
      items = wanted;
      measure();
      render();
    },
    reveal(index) {
      // Twice: what comes into sight may be higher than was guessed.
      for (let time = 0; time < 2; time++) {
        const top = starts[index] ?? 0;
        const bottom = (starts[index + 1] ?? top) + body.offsetTop;
        if (top < scroll.scrollTop) scroll.scrollTop = top;
        else if (bottom > scroll.scrollTop + room()) scroll.scrollTop = bottom - room();
        render();
      }
    },
  };
}
