// A canvas whose unit is the CSS pixel, sharp at any device pixel ratio.
import { element } from "../dom";

export interface Surface {
  canvas: HTMLCanvasElement;
  /** Clears, resizes where needed and returns the context; null where canvas is not supported. */
  begin(width: number, height: number): CanvasRenderingContext2D | null;
}

export function createSurface(className: string): Surface {
  const canvas = element("canvas", { class: className, "aria-hidden": "true" });
  return {
    canvas,
    begin(width, height) {
      const ratio = window.devicePixelRatio || 1;
      const pixelWidth = Math.round(width * ratio);
      const pixelHeight = Math.round(height * ratio);
      if (canvas.width !== pixelWidth) canvas.width = pixelWidth;
      if (canvas.height !== pixelHeight) canvas.height = pixelHeight;
      // Exactly as many device pixels as are drawn: nothing is blurred by scaling.
      canvas.style.width = `${pixelWidth / ratio}px`;
      canvas.style.height = `${pixelHeight / ratio}px`;
      const context = canvas.getContext("2d");
      context?.setTransform(ratio, 0, 0, ratio, 0, 0);
      context?.clearRect(0, 0, width, height);
      return context;
    },
  };
}

/** Shortens a text so that it fits, with an ellipsis; empty where not even one letter fits. */
export function ellipsize(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const letters = [...text];
  let low = 0;
  let high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${letters.slice(0, middle).join("")}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? "" : `${letters.slice(0, low).join("").trimEnd()}…`;
}
