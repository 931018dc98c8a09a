// Who writes the captions: in the head; behind it what that means, and with no model how to get one.
import { element, react, setText } from "../dom";
import type { Link } from "../link";
import { on } from "../listen";
import type { Pull } from "../protocol";
import type { Store } from "../store";
import { createPopup } from "./popup";
import { createPull } from "./pull";

const BUILT_IN = "built-in text";

/** One line below the story. */
export function createWords(store: Store, link: Link, signal: AbortSignal): HTMLElement {
  const checked = element("span", { class: "checked" }, "Numbers checked against the recording.");
  const node = element(
    "p",
    { class: "words" },
    element("span", {}, "Words:"),
    createWriter(store, link, signal),
    checked,
  );
  react(signal, () => {
    const { writer, status, busy } = store.head.value;
    node.hidden = !writer.text;
    checked.hidden = Boolean(writer.hint || writer.pull || busy) || status === "running";
  });
  return node;
}

function createWriter(store: Store, link: Link, signal: AbortSignal): HTMLElement {
  const { node, button, sheet } = createPopup("who writes", "writer", signal, () => {});
  button.className = "action writer";
  const about = element("p");
  const hint = element("p");
  const command = element("button", { class: "command", title: "copy this command" });
  const quiet = element("button", { class: "action" }, "stop writing");
  sheet.append(about, hint, command, createPull(store, link, button, signal), quiet);
  on(command, "click", () => {
    navigator.clipboard?.writeText(store.head.value.writer.command).then(
      () => flash(command),
      () => {},
    );
  });
  on(quiet, "click", () => link.quiet());
  react(signal, () => {
    const { writer, busy } = store.head.value;
    const pull = link.hasKernel.value ? writer.pull : null;
    const more = (pull && inShort(pull)) || writer.hint || (busy ? "writing" : "");
    // A download keeps the width that the offer had: the head does not break its lines anew.
    if (!pull?.going) button.style.minWidth = "";
    else button.style.minWidth ||= `min(${button.offsetWidth}px, 80cqi)`;
    setText(button, pull?.going ? more : more ? `${writer.text} · ${more}` : writer.text);
    button.classList.toggle("busy", busy);
    node.hidden = !writer.text;
    const byModel = "A model words the explanation; each sentence is checked against the recording.";
    setText(about, writer.text === BUILT_IN ? "The explanation is computed from the recording." : byModel);
    setText(hint, writer.hint);
    setText(command, writer.command);
    command.hidden = !writer.command;
    quiet.hidden = !busy || !link.hasKernel.value;
  });
  return node;
}

/** What the head says of a model that is missing; as wide at 9 % as at 10 %. */
function inShort({ model, going, problem, percent }: Pull): string {
  const name = model.replace(/.*\//, "");
  if (!going) return problem ? `could not get ${name}` : `get ${name} for more`;
  return `getting ${name}${percent === null ? "" : ` · ${String(percent).padStart(2, "\u2007")} %`}`;
}

function flash(command: HTMLElement): void {
  command.dataset.copied = "true";
  setTimeout(() => delete command.dataset.copied, 1200);
}
