// What began or ended in the simulation, on the curve: a mark each, filled once it has passed; words where they find room.
import { element } from "../dom";
import { formatCount } from "../format";
import type { Frame, Track } from "../plot/track";
import { type Box, placeMarks } from "../plot/track-labels";
import type { Mark } from "../protocol";
import type { Store } from "../store";

const MOST_WIDTH = 290;
/** Under the names of the chapters, which keep to the upper edge. */
const NAMES = 22;

export interface Marks {
  node: HTMLElement;
  place(track: Track, frame: Frame, font: string): void;
  /** Fills the marks that an iteration has reached. */
  pass(iteration: number): void;
}

export function createMarks(store: Store): Marks {
  const node = element("div", { class: "marks", "aria-hidden": "true" });
  const context = element("canvas").getContext("2d");
  let shown: { mark: Mark; parts: HTMLElement[] }[] = [];
  return {
    node,
    place(track, frame, font) {
      const { sheet, panel } = track;
      if (context) context.font = `12.5px ${font}`;
      const curveAt = (x: number) => {
        const iteration =
          track.axis.low +
          ((x - frame.left) * (track.axis.high - track.axis.low)) / (frame.right - frame.left);
        return iteration > store.history.lastIteration ? Number.NaN : heightAt(iteration);
      };
      const heightAt = (iteration: number) => {
        const values = panel.loss ?? panel.lines[0]?.values;
        return values ? panel.y(values[store.history.nearestRow(iteration)] as number) : Number.NaN;
      };
      const found = (store.head.peek().compared ? [] : store.marks.peek())
        .map((mark) => ({ mark, x: sheet.x(mark.iteration), y: heightAt(mark.iteration) }))
        .filter(({ x, y }) => x >= frame.left && x <= frame.right && Number.isFinite(y))
        .sort((one, other) => Number(other.mark.cited) - Number(one.mark.cited));
      const points = found.map(({ mark, x, y }) => ({
        x,
        y,
        width: Math.min(widthOf(mark, context), MOST_WIDTH),
      }));
      const room: Box = {
        left: frame.left + 4,
        right: frame.right - 4,
        top: NAMES,
        bottom: frame.bottom + 4,
      };
      const taken: Box[] = panel.log
        ? [{ left: frame.right - 120, right: frame.right, top: NAMES, bottom: NAMES + 20 }]
        : [];
      const boxes = placeMarks(points, room, curveAt, taken);
      shown = found.map(({ mark, x, y }, index) => {
        const words = `${formatCount(mark.iteration)} ${mark.text}`;
        const sign = element("span", { class: "mark", title: words, style: `left:${x}px;top:${y}px` });
        const box = boxes[index];
        if (!box) return { mark, parts: [sign] };
        const label = element(
          "span",
          { class: "mark-label", style: `left:${box.left}px;top:${box.top}px;max-width:${MOST_WIDTH}px` },
          element("span", { class: "quiet" }, `${formatCount(mark.iteration)} `),
          mark.text,
        );
        return { mark, parts: [label, sign] };
      });
      node.replaceChildren(...shown.flatMap(({ parts }) => parts));
    },
    pass(iteration) {
      for (const { mark, parts } of shown) {
        for (const part of parts) part.classList.toggle("passed", mark.iteration <= iteration);
      }
    },
  };
}

function widthOf(mark: Mark, context: CanvasRenderingContext2D | null): number {
  const text = `${formatCount(mark.iteration)} ${mark.text}`;
  return (context?.measureText?.(text)?.width ?? 7 * text.length) + 4;
}
