// Who worded a caption and what was checked: one quiet line, and behind it each sentence with its facts, its
// claims and verdicts, what was dropped and why, and which model on which server wrote.
import { element, setAttributes } from "../dom";
import { on } from "../listen";
import type { Caption, Claim, Sentence } from "../protocol";
import type { State } from "../state";

const BUILT_IN = "built-in";
/** In this order; the words are those of the reader. */
const PROVENANCE = { model: "model", digest: "digest", server: "Ollama", seed: "seed", prompts: "prompts" };
/** A digest is told apart by its first letters. */
const DIGEST = 12;

/** The line and what it unfolds; `cite` makes buttons of the facts' names. */
export function createDetails(
  caption: Caption,
  key: string,
  state: State,
  cite: (ids: readonly string[]) => HTMLElement,
): HTMLElement[] {
  const { id, sentences, tone, provenance } = caption;
  const text = lineText(caption);
  if (sentences.length === 0) return [element("p", { class: "line", "data-tone": tone }, text)];
  const line = element(
    "button",
    { class: "line", "data-tone": tone, "aria-controls": `details-${id}` },
    text,
  );
  const details = element("div", { class: "details", id: `details-${id}` });
  const show = () => {
    const open = state.unfolded.has(key);
    details.hidden = !open;
    setAttributes(line, { "aria-expanded": open });
    if (!open || details.firstChild) return;
    details.append(
      element("ol", {}, ...sentences.map((sentence) => createSentence(sentence, cite))),
      element("p", { class: "who" }, provenanceText(provenance)),
    );
  };
  on(line, "click", () => {
    if (!state.unfolded.delete(key)) state.unfolded.add(key);
    show();
  });
  show();
  return [line, details];
}

/** The English text of a caption in another language, one click away; null where the caption is English. */
export function createEnglish({ id, sentences }: Caption, caption: string, state: State): HTMLElement | null {
  if (!sentences.some(({ checked }) => checked === "in part")) return null;
  const key = `${caption} in English`;
  const text = sentences.map((sentence) => sentence.built_in || sentence.text).join(" ");
  const content = element("p", { class: "text", id: `english-${id}`, lang: "en" }, text);
  const button = element("button", { class: "action", "aria-controls": `english-${id}` }, "In English");
  const show = () => {
    content.hidden = !state.unfolded.has(key);
    setAttributes(button, { "aria-expanded": !content.hidden });
  };
  on(button, "click", () => {
    if (!state.unfolded.delete(key)) state.unfolded.add(key);
    show();
  });
  show();
  return element("div", { class: "english" }, button, content);
}

function lineText({ line, tone, writing }: Caption): string {
  if (writing) return `${line} · being reworded…`;
  return tone === "good" && line && !line.startsWith("✓") ? `✓ ${line}` : line;
}

function createSentence(sentence: Sentence, cite: (ids: readonly string[]) => HTMLElement): HTMLElement {
  const { text, source, cites, built_in, checked, dropped, claims } = sentence;
  const who = source === BUILT_IN ? "built-in text" : `worded by ${source}, checked ${checked}`;
  return element(
    "li",
    {},
    text,
    " ",
    cite(cites),
    element("p", { class: "who" }, who),
    dropped
      ? element("p", { class: "who", "data-tone": "warning" }, `✗ a model's wording was dropped: ${dropped}`)
      : null,
    claims.length > 0 ? element("ul", {}, ...claims.map(createClaim)) : null,
    built_in ? element("p", { class: "who" }, `in place of: ${built_in}`) : null,
  );
}

function createClaim({ text, supported, reason }: Claim): HTMLElement {
  const verdict = supported === null ? "?" : supported ? "✓" : "✗";
  const word = supported === null ? "not decided: " : supported ? "matches: " : "does not match: ";
  return element(
    "li",
    {},
    element("span", { "aria-hidden": "true" }, `${verdict} `),
    element("span", { class: "visually-hidden" }, word),
    `${text}: ${reason}`,
  );
}

function provenanceText(provenance: Record<string, string>): string {
  return Object.entries(PROVENANCE)
    .filter(([key]) => provenance[key])
    .map(([key, name]) => `${name} ${provenance[key]?.slice(0, key === "model" ? 99 : DIGEST)}`)
    .join(" · ");
}
