// The widget's entry: glue between anywidget's life-cycle and the view, and nothing else.
// `initialize` (once per model) owns data and subscriptions, `render` (once per output) owns DOM.
import type { InitializeProps, RenderProps } from "@anywidget/types";
import { Link } from "./link";
import type { ToBrowser, ToKernel } from "./messages";
import { interrupter, type Model, mirror, onChange, onMessage, type Traits, watchKernel } from "./model";
import { State } from "./state";
import { Store } from "./store";
import { mountView } from "./view/mount";
import { inflate, isDeflated } from "./wire";
import { refineView } from "./zoom";

type Bytes = DataView | Uint8Array | null | undefined;

/** Hands packets on in the order in which they came, also where one of them has to be inflated first. */
function inOrder(receive: (bytes: Bytes) => void): (bytes: Bytes) => void {
  let before: Promise<void> | undefined;
  return (bytes) => {
    const deflated = bytes && isDeflated(bytes);
    if (!before && !deflated) return receive(bytes);
    const open = Promise.all([deflated ? inflate(bytes) : bytes, before])
      .then(([packet]) => receive(packet))
      .finally(() => {
        if (before === open) before = undefined;
      });
    before = open;
  };
}

function connect(model: Model, signal: AbortSignal) {
  const store = new Store();
  const state = new State(store);
  const link = new Link(store, (message: ToKernel) => model.send(message), interrupter(model));
  const receive = inOrder((bytes) => link.receive(bytes));
  const readSnapshot = () => receive(model.get("_snapshot"));
  watchKernel(
    model,
    () => store.head.peek().status === "running",
    (answers) => {
      link.hasKernel.value = answers;
    },
    signal,
  );
  // Before a view exists, so that no message is lost.
  onMessage(
    model,
    (content, buffers) => {
      if ((content as ToBrowser | null)?.type === "packet") receive(buffers?.[0]);
    },
    signal,
  );
  onChange(model, "_snapshot", readSnapshot, signal);
  readSnapshot();
  mirror(model, state, signal);
  refineView(store, state, link, signal);
  return { store, state, link };
}

/** `signal` where the host gives one, and a clean-up of our own for hosts that do not. */
function lifetime(signal: AbortSignal | undefined): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const end = () => controller.abort();
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end, { once: true });
  return { signal: controller.signal, end };
}

export default () => {
  let connection: ReturnType<typeof connect> | undefined;
  return {
    initialize({ model, signal }: InitializeProps<Traits>) {
      const life = lifetime(signal);
      connection = connect(model, life.signal);
      return life.end;
    },
    render({ model, el, signal }: RenderProps<Traits>) {
      const life = lifetime(signal);
      connection ??= connect(model, life.signal);
      mountView(el, connection, life.signal);
      return life.end;
    },
  };
};

/** Shows a packet where there is no kernel: the exported page. Returns a function that takes it down. */
export function mountStatic(el: HTMLElement, bytes: Uint8Array | DataView): () => void {
  const life = lifetime(undefined);
  const store = new Store();
  const link = new Link(store, () => {});
  link.receive(bytes);
  mountView(el, { store, state: new State(store), link }, life.signal);
  return life.end;
}
