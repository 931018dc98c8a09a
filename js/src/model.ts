// The synced traits: their types, a subscription that ends with a signal, and the two-way mirror between
// three of them and the reader's state. Writes are grouped, because each is a message to the kernel.
import type { AnyModel } from "@anywidget/types";
import { effect } from "@preact/signals-core";
import { atEnd } from "./listen";
import type { Span } from "./protocol";
import { FOLLOW, type State } from "./state";

export type Traits = {
  iteration: number;
  span: number[];
  selected: string[];
  _snapshot: DataView | null;
  _has_kernel: boolean;
};

/** With what Jupyter adds of its own. */
export type HostTraits = Traits & { layout?: Layout | null };

/** The model of the widget's layout, as far as Jupyter gives it. */
type Layout = {
  comm_live?: boolean;
  on?: (event: string, listener: () => void) => void;
  off?: (event: string, listener: () => void) => void;
};

export type Model = AnyModel<HostTraits>;

const MIRRORED = ["iteration", "span", "selected"] as const;

/** Least time between two writes (ms). */
const WRITE_INTERVAL = 150;

/** Interrupts the kernel where the host lets its widgets do so (JupyterLab, Notebook 7); null elsewhere. */
export function interrupter(model: Model): (() => Promise<unknown>) | null {
  const { kernel } =
    (model as { widget_manager?: { kernel?: { interrupt?: () => Promise<unknown> } } }).widget_manager ?? {};
  return typeof kernel?.interrupt === "function" ? async () => kernel.interrupt?.() : null;
}

/** How long (ms) a kernel may take to say that it is there; one that is busy is believed again once it speaks. */
const SILENCE = 5000;

/** Reports whether a kernel answers; one that is busy with a run is not asked to. A saved notebook shows a widget as it was, also where no kernel is behind it:
 *  Jupyter tells that of the layout, which it made in the same way; elsewhere a kernel is believed until it is silent. */
export function watchKernel(
  model: Model,
  isRunning: () => boolean,
  report: (answers: boolean) => void,
  signal: AbortSignal,
): void {
  if (!model.get("_has_kernel")) return;
  const layout = model.get("layout");
  let silent = false;
  const tell = () => report((!silent || isRunning()) && layout?.comm_live !== false);
  const timer = setTimeout(() => {
    silent = true;
    tell();
  }, SILENCE);
  const hear = () => {
    clearTimeout(timer);
    silent = false;
    tell();
  };
  tell();
  onMessage(model, hear, signal);
  layout?.on?.("comm_live_update", tell);
  atEnd(signal, () => {
    clearTimeout(timer);
    layout?.off?.("comm_live_update", tell);
  });
  model.send({ type: "hello" });
}

export function onChange(model: Model, name: keyof Traits, listener: () => void, signal: AbortSignal): void {
  model.on(`change:${name}`, listener);
  atEnd(signal, () => model.off(`change:${name}`, listener));
}

export function onMessage(
  model: Model,
  listener: (content: unknown, buffers: DataView[]) => void,
  signal: AbortSignal,
): void {
  model.on("msg:custom", listener);
  atEnd(signal, () => model.off("msg:custom", listener));
}

export function mirror(model: Model, state: State, signal: AbortSignal): void {
  // One by one: a change of one trait from Python must not undo a move of another that is still unwritten.
  const read = {
    iteration: () => {
      state.cursor.value = model.get("iteration") ?? FOLLOW;
    },
    span: () => {
      state.span.value = toSpan(model.get("span"));
    },
    selected: () => {
      state.selected.value = model.get("selected") ?? [];
    },
  };
  for (const name of MIRRORED) {
    read[name]();
    onChange(model, name, read[name], signal);
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    timer = undefined;
    const wanted = {
      iteration: state.cursor.peek(),
      span: [...(state.span.peek() ?? [])],
      selected: [...state.selected.peek()],
    };
    let changed = false;
    for (const name of MIRRORED) {
      if (JSON.stringify(model.get(name)) === JSON.stringify(wanted[name])) continue;
      model.set(name, wanted[name]);
      changed = true;
    }
    if (changed) model.save_changes();
  };
  const stop = effect(() => {
    state.cursor.value;
    state.span.value;
    state.selected.value;
    timer ??= setTimeout(write, WRITE_INTERVAL);
  });
  atEnd(signal, () => {
    stop();
    clearTimeout(timer);
  });
}

function toSpan(value: number[] | undefined): Span | null {
  const [first, last] = value ?? [];
  return first === undefined || last === undefined ? null : [first, last];
}
