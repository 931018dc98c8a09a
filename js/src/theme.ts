// Light or dark, after the host: JupyterLab, Notebook 7, VS Code, Colab, marimo, or any page. Watched live.
import { atEnd } from "./listen";

export type Theme = "light" | "dark";

/** Hosts load their theme's style sheet after they have announced it (ms). */
const LOOK_AGAIN = [0, 150, 600];

export function watchTheme(el: HTMLElement, signal: AbortSignal, report: (theme: Theme) => void): void {
  let current: Theme | null = null;
  const look = () => {
    if (signal.aborted) return;
    const theme = detectTheme(el);
    if (theme === current) return;
    current = theme;
    report(theme);
  };
  const lookSoon = () => {
    for (const delay of LOOK_AGAIN) setTimeout(look, delay);
  };
  const observer = new MutationObserver(lookSoon);
  for (const node of [document.documentElement, document.body]) observer.observe(node, { attributes: true });
  for (const query of [prefersDark(), forcedColours()])
    query.addEventListener("change", lookSoon, { signal });
  atEnd(signal, () => observer.disconnect());
  look();
  lookSoon();
}

const forcedColours = () => window.matchMedia("(forced-colors: active)");
const prefersDark = () => window.matchMedia("(prefers-color-scheme: dark)");

/** What the host says; else how light the background behind us is; else how light the text is. */
export function detectTheme(el: HTMLElement): Theme {
  const { body, documentElement: html } = document;
  // Forced colours are the reader's, whatever the host says.
  if (forcedColours().matches) return prefersDark().matches ? "dark" : "light";
  const lab = body.getAttribute("data-jp-theme-light");
  if (lab) return lab === "true" ? "light" : "dark";
  if (body.matches(".vscode-dark, .vscode-high-contrast:not(.vscode-high-contrast-light)")) return "dark";
  if (body.matches(".vscode-light, .vscode-high-contrast-light")) return "light";
  if (html.getAttribute("theme") === "dark" || body.matches(".dark, .dark-theme")) return "dark";

  for (let node: Element | null = el; node; node = parentAcrossShadow(node)) {
    const background = luminance(getComputedStyle(node).backgroundColor);
    if (background !== null) return background < 0.4 ? "dark" : "light";
  }
  return (luminance(getComputedStyle(el).color) ?? 0) > 0.5 ? "dark" : "light";
}

function parentAcrossShadow(node: Element): Element | null {
  if (node.parentElement) return node.parentElement;
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/** Between 0 and 1; null for a colour that is (nearly) transparent or not understood. */
export function luminance(colour: string): number | null {
  const [r, g, b, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  if (!colour.startsWith("rgb") || r === undefined || g === undefined || b === undefined || alpha < 0.5)
    return null;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
