// The Export button: files made by the kernel where one lives, and what the browser can make without one.
import { element, setText } from "../dom";
import { formatCount } from "../format";
import type { Link } from "../link";
import { on } from "../listen";
import type { State } from "../state";
import type { Store } from "../store";
import { createPopup } from "./popup";
import { asCsv } from "./table";

/** Made by the kernel: what it is called there, for the reader, and the line of Python that does the same. */
const BY_KERNEL = [
  ["page", "Interactive page", ".html, needs no network", "run.to_html(path)"],
  ["picture", "Picture of the run", ".png", "run.plot().savefig(path)"],
  ["data", "All data", ".npz, for xi.load", "run.save(path)"],
] as const;

export function createExport(
  store: Store,
  state: State,
  link: Link,
  picture: () => HTMLCanvasElement | null,
  signal: AbortSignal,
): HTMLElement {
  const note = element("p", { class: "hint", "aria-live": "polite" });
  const fill = () => {
    setText(note, "");
    const byKernel = link.hasKernel.value
      ? BY_KERNEL.map(([format, name, about, python]) =>
          choice(name, about, python, () => void fromKernel(format)),
        )
      : [];
    popup.sheet.replaceChildren(
      ...byKernel,
      choice("These plots", ".png, as they stand here", "", () => void savePlots()),
      choice("Table of what is drawn", ".csv", "", saveTable),
      note,
    );
  };
  const popup = createPopup("Export", "export", signal, fill);

  async function fromKernel(format: string): Promise<void> {
    const waits = store.head.value.status === "running";
    setText(note, waits ? "The file comes when the cell has ended." : "The file is being made…");
    try {
      const file = await link.requestFile(format);
      if (signal.aborted) return;
      save(file.name, new Blob([file.bytes], { type: file.type }));
      setText(note, `${file.name} is saved.`);
    } catch (error) {
      setText(note, (error as Error).message);
    }
  }

  async function savePlots(): Promise<void> {
    // They are painted where they are seen.
    state.details.value = true;
    for (let frame = 0; frame < 3; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
    picture()?.toBlob((blob) => {
      if (blob) save(`${stem(store)}-plots.png`, blob);
    });
    setText(note, `${stem(store)}-plots.png is saved.`);
  }

  function saveTable(): void {
    save(`${stem(store)}.csv`, new Blob([asCsv(store, state)], { type: "text/csv" }));
    const { thinned } = store.head.value;
    const some =
      thinned > 1 ? ` It has one in ${formatCount(thinned)} evaluations; run.to_frame() has all.` : "";
    setText(note, `${stem(store)}.csv is saved.${some}`);
  }
  return popup.node;
}

function choice(name: string, about: string, python: string, act: () => void): HTMLElement {
  const button = element(
    "button",
    { class: "choice" },
    element("span", { class: "name" }, name),
    element("span", { class: "hint" }, about),
  );
  if (python) button.title = `in Python: ${python}`;
  on(button, "click", act);
  return button;
}

function stem(store: Store): string {
  return store.head.value.title.replace(/[^\p{L}\p{N}_-]+/gu, "-").replace(/^-|-$/g, "") || "run";
}

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
