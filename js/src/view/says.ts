// Texts of the story: the names of parameters carry the colour that they have in the scene and the plots.
import { element } from "../dom";
import { seriesColour } from "../plot/ink";
import type { Part } from "../protocol";
import type { Store } from "../store";

/** Nodes that say a text; an article stays before the dot: the ● first point. */
export function say(parts: readonly Part[], store: Store): (Node | string)[] {
  const colours = coloursOf(store);
  return parts.flatMap(({ text, kind }) => {
    const colour = kind === "name" ? colours.get(text.toLowerCase()) : undefined;
    if (colour === undefined) return [text];
    const [, article = "", first = "", rest = ""] = /^((?:the|a|an)\s)?(\S+)(.*)$/i.exec(text) ?? [];
    // The dot is never alone at the end of a line.
    return [article, element("span", { class: "named" }, dot(colour), first), rest];
  });
}

export function dot(colour: number): HTMLElement {
  return element("span", {
    class: "name-dot",
    "aria-hidden": "true",
    style: `background:${seriesColour(colour)}`,
  });
}

function coloursOf(store: Store): Map<string, number> {
  const found = new Map<string, number>();
  for (const [index, { label, name, colour }] of store.series.value.entries()) {
    const key = (label || name).toLowerCase();
    if (!found.has(key)) found.set(key, colour ?? index);
  }
  return found;
}
