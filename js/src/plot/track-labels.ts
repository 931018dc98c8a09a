// Where the words of marks stand on the track: beside their mark, off the curve, off each other; those that find no
// place go. Pure.

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Point {
  x: number;
  y: number;
  /** Of its words. */
  width: number;
}

const HEIGHT = 16;
const AWAY = 11;
const CURVE = 4;
/** Most words on the track. */
export const MOST_LABELS = 5;

/** A box for each point, in the order of their rank; null for those that find no place. */
export function placeMarks(
  points: readonly Point[],
  room: Box,
  curveAt: (x: number) => number,
  taken: readonly Box[],
): (Box | null)[] {
  const boxes = [...taken];
  // Each mark itself is in nobody's way.
  const marks = points.map(({ x, y }) => ({ left: x - 7, right: x + 7, top: y - 7, bottom: y + 7 }));
  let placed = 0;
  return points.map((point, index) => {
    if (placed === MOST_LABELS) return null;
    const others = [...boxes, ...marks.filter((_, place) => place !== index)];
    const found = around(point).find(
      (box) => isWithin(box, room) && !others.some((other) => meet(box, other)) && !isCrossed(box, curveAt),
    );
    if (!found) return null;
    placed++;
    boxes.push(found);
    return found;
  });
}

function around({ x, y, width }: Point): Box[] {
  const box = (left: number, top: number) => ({ left, right: left + width, top, bottom: top + HEIGHT });
  const heights = [y - HEIGHT, y - HEIGHT - 8, y + 4, y - HEIGHT - 18, y + 14];
  return heights.flatMap((top) => [
    box(x + AWAY, top),
    box(x - AWAY - width, top),
    box(x - width / 2, top - 4),
  ]);
}

function isWithin(box: Box, room: Box): boolean {
  return box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
}

function meet(one: Box, other: Box): boolean {
  return (
    one.left < other.right + 6 &&
    one.right + 6 > other.left &&
    one.top < other.bottom &&
    one.bottom > other.top
  );
}

function isCrossed({ left, right, top, bottom }: Box, curveAt: (x: number) => number): boolean {
  for (let x = left; x <= right; x += CURVE) {
    const y = curveAt(x);
    if (y > top && y < bottom) return true;
  }
  return false;
}
