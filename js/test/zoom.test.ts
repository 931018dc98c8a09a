import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encode } from "../dev/packet";
import { Link } from "../src/link";
import type { ToKernel } from "../src/messages";
import type { Span } from "../src/protocol";
import { State } from "../src/state";
import { Store } from "../src/store";
import { refineView } from "../src/zoom";

let store: Store;
let state: State;
let link: Link;
let sent: ToKernel[];
let end: AbortController;
let sequence: number;

const every = (step: number, [from, to]: Span) => {
  const at = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, k) => from + k * step);
  return { iteration: Float64Array.from(at), loss: Float64Array.from(at) };
};
const wait = () => vi.advanceTimersByTime(1000);

function show(view: Span | null): ToKernel | undefined {
  const before = sent.length;
  state.view.value = view;
  wait();
  expect(sent.length - before).toBeLessThanOrEqual(1);
  return sent[before];
}

function answer(asked: ToKernel | undefined, thinned = 1): void {
  const { request, span } = asked as { request: number; span: Span };
  const within: Span = [Math.max(0, span[0]), Math.min(1000, span[1])];
  link.receive(
    encode({ sequence: ++sequence, detail: { request, span: within, thinned } }, every(thinned, within)),
  );
}

beforeEach(() => {
  vi.useFakeTimers();
  store = new Store();
  state = new State(store);
  sent = [];
  link = new Link(store, (message) => sent.push(message));
  link.hasKernel.value = true;
  end = new AbortController();
  sequence = 1;
  const head = { ...store.head.value, status: "finished" as const, thinned: 50 };
  link.receive(encode({ kind: "snapshot", sequence, head }, every(50, [0, 1000])));
  refineView(store, state, link, end.signal);
});

afterEach(() => {
  end.abort();
  vi.useRealTimers();
});

describe("a part of a long run that is zoomed into", () => {
  it("is shown with every evaluation once it has come to rest", () => {
    expect(state.thinned.value).toBe(50);
    state.view.value = [300, 900];
    state.view.value = [400, 440];
    const asked = show([400, 420]);
    expect(asked).toMatchObject({ type: "rows", span: [395, 425] });
    answer(asked);
    expect(state.thinned.value).toBe(1);
    expect(store.history.rowAt(420) - store.history.rowAt(400)).toBe(20);
    wait();
    expect(sent).toHaveLength(1);
  });

  it("is asked for again where the reader moves on, and not where it is known", () => {
    answer(show([400, 500]));
    expect(show([410, 490])).toBeUndefined();
    expect(show(null)).toBeUndefined();
    expect(state.thinned.value).toBe(50);
    expect(show([400, 500])).toBeUndefined();
    expect(show([700, 800])).toMatchObject({ span: [675, 825] });
  });

  it("is asked for more closely as long as rows are missing in it, once at each distance", () => {
    answer(show([100, 900]), 10);
    wait();
    expect(sent).toHaveLength(1);
    expect(show([100, 800])).toBeUndefined();
    expect(show([400, 450])).toMatchObject({ span: [387, 463] });
  });

  it("is left alone without a kernel, while the run goes on, and when the view has gone", () => {
    link.hasKernel.value = false;
    expect(show([400, 420])).toBeUndefined();
    end.abort();
    link.hasKernel.value = true;
    expect(show([500, 520])).toBeUndefined();
  });
});
