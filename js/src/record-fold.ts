// The saved record (a <details> that Python displays for notebooks reopened without a kernel) repeats what
// the live widget shows. While a live widget stands, the record is folded; a click on its summary unfolds it.
import { atEnd } from "./listen";

export function foldSavedRecord(run: string, signal: AbortSignal): void {
  if (signal.aborted || !run) return;
  const record = `details[data-xinv-record="${CSS.escape(run)}"]`;
  const sheet = new CSSStyleSheet();
  const folded = `${record}:not([data-xinv-unfolded]) >`;
  sheet.replaceSync(
    `${folded} :not(summary) { display: none } ${folded} summary { list-style-type: disclosure-closed }`,
  );
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  atEnd(signal, () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  });
  document.addEventListener(
    "click",
    (event) => {
      const target = event.target instanceof Element ? event.target : null;
      const summary = target?.closest(`${record} > summary`);
      if (!summary) return;
      // Its own folding would hide what this sheet shows.
      event.preventDefault();
      summary.parentElement?.toggleAttribute("data-xinv-unfolded");
    },
    { capture: true, signal },
  );
}
