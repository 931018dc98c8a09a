// The conversation with the kernel: packets in sequence, a gap answered by "resync", requests kept in a
// table until they are answered. Knows no DOM; the store shows what arrives.
import { signal } from "@preact/signals-core";
import type { FitMessage, ObjectiveMessage, ToKernel } from "./messages";
import type { OtherRun, Span } from "./protocol";
import type { Store } from "./store";
import { type Bytes, decode, type File, type Packet } from "./wire";

/** While messages are missing, ask again after this time (ms), then after twice as long, and so on:
 *  a kernel that runs a cell cannot answer, and requests would pile up. */
const RESYNC_INTERVAL = 3000;

/** The kernel could not do what was asked; its message is written for the reader. */
export class Refusal extends Error {}

export class Link {
  readonly hasKernel = signal(false);
  #store: Store;
  #send: (message: ToKernel) => void;
  #now: () => number;
  #sequence = 0;
  #askAgainAt = Number.NEGATIVE_INFINITY;
  #patience = RESYNC_INTERVAL;
  #nextRequest = Math.floor(Math.random() * 1e9);
  #openScenes = new Set<number>();
  /** The request for rows that is not answered yet. */
  #openRows = -1;
  /** What waits for an answer, by the number of the request. */
  #open = new Map<number, (packet: Packet) => void>();

  /** Stops the cell that runs, where the host allows it. */
  readonly interrupt: (() => Promise<unknown>) | null;

  constructor(
    store: Store,
    send: (message: ToKernel) => void,
    interrupt: (() => Promise<unknown>) | null = null,
    now = () => performance.now(),
  ) {
    this.#store = store;
    this.#send = send;
    this.interrupt = interrupt;
    this.#now = now;
  }

  /** Takes a packet; an empty one means that nothing has been recorded yet. */
  receive(bytes: DataView | Uint8Array | null | undefined): void {
    if (!bytes || bytes.byteLength === 0) return;
    let packet: Packet;
    try {
      packet = decode(bytes);
    } catch (error) {
      this.#store.problem.value = error instanceof Error ? error.message : String(error);
      return;
    }
    if (packet.header.kind === "snapshot") this.#snapshot(packet);
    else this.#update(packet);
  }

  /** Asks for the scene's picture at an iteration, once until it is answered. */
  requestScene(iteration: number): void {
    if (!this.hasKernel.value || this.#openScenes.has(iteration)) return;
    this.#openScenes.add(iteration);
    this.#send({ type: "scene", iteration });
  }

  /** Returns the number of the request. */
  ask(text: string, span: Span | null): number {
    const request = this.#nextRequest++;
    this.#store.ask({ request, text, span, answer: null });
    this.#send({ type: "ask", request, question: text, span });
    return request;
  }

  /** Asks that the model which is writing stops. */
  quiet(): void {
    this.#send({ type: "quiet" });
  }

  /** Asks that the model which is offered is downloaded, or that this ends; the kernel knows which one it is. */
  pull(cancel: boolean): void {
    this.#send({ type: "pull", cancel });
  }

  /** Asks for a caption of these iterations; it comes among the others. */
  explain(span: Span): void {
    this.#send({ type: "explain", span });
  }

  /** Asks for the reasons over these iterations. */
  requestReasons(span: Span): void {
    if (this.hasKernel.value) this.#send({ type: "reasons", span });
  }

  /** Asks for the evaluations of a part of the run, unless it waits for an answer already: another one is asked for
   *  once that is here. */
  requestRows(span: Span): void {
    if (this.#openRows >= 0) return;
    this.#openRows = this.#nextRequest++;
    this.#send({ type: "rows", request: this.#openRows, span });
  }

  /** Asks for a file; while a cell runs, this answer and those below wait behind it. */
  requestFile(format: string): Promise<File> {
    return this.#request(
      (request) => ({ type: "file", request, format }),
      ({ file }) => file,
    );
  }

  requestRuns(): Promise<OtherRun[]> {
    return this.#request(
      (request) => ({ type: "runs", request }),
      ({ header }) => header.other_runs?.runs,
    );
  }

  /** Asks for a packet in which the run is laid over others. */
  requestComparison(runs: string[]): Promise<Bytes> {
    return this.#request(
      (request) => ({ type: "compare", request, runs }),
      ({ comparison }) => comparison?.bytes,
    );
  }

  /** Asks for a packet in which the fits of the run are laid over each other. */
  requestFits(): Promise<Bytes> {
    return this.#request(
      (request) => ({ type: "compare_fits", request }),
      ({ comparison }) => comparison?.bytes,
    );
  }

  /** Asks to be told of another fit, or to be shown another objective. */
  choose(what: FitMessage | ObjectiveMessage): void {
    this.#send(what);
  }

  /** Sends a request and reads the answer; fails with a refusal where the kernel says why there is none. */
  #request<T>(
    message: (request: number) => ToKernel,
    read: (packet: Packet) => T | null | undefined,
  ): Promise<T> {
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#open.set(request, (packet) => {
        const answer = read(packet);
        if (answer) resolve(answer);
        else reject(new Refusal(packet.header.failure?.text));
      });
      this.#send(message(request));
    });
  }

  #settle(packet: Packet): void {
    const { file, comparison, header } = packet;
    for (const answer of [file, comparison, header.other_runs, header.failure]) {
      if (!answer) continue;
      this.#open.get(answer.request)?.(packet);
      this.#open.delete(answer.request);
    }
  }

  #snapshot(packet: Packet): void {
    const { sequence, run } = packet.header;
    if (run === this.#store.run.value && sequence < this.#sequence) return;
    this.#sequence = sequence;
    this.#openRows = -1;
    this.#accept(packet);
    this.#store.incomplete.value = false;
    this.#askAgainAt = Number.NEGATIVE_INFINITY;
    this.#patience = RESYNC_INTERVAL;
  }

  #update(packet: Packet): void {
    const { sequence } = packet.header;
    if (sequence <= this.#sequence) return;
    if (sequence > this.#sequence + 1) {
      // What follows a gap is still true, so it is shown; one unknown row keeps lines from bridging the gap.
      if (packet.header.rows > 0 && !packet.header.detail) this.#store.history.appendUnknown();
      this.#store.incomplete.value = true;
    }
    if (this.#store.incomplete.value) this.#resync();
    this.#sequence = sequence;
    this.#accept(packet);
  }

  #accept(packet: Packet): void {
    const { detail } = packet.header;
    // A part that another browser zoomed into.
    if (detail && detail.request !== this.#openRows) return;
    if (detail) this.#openRows = -1;
    for (const frame of packet.frames) this.#openScenes.delete(frame.iteration);
    if (packet.header.frame_error) this.#openScenes.delete(packet.header.frame_error.iteration);
    this.#store.apply(packet);
    this.#settle(packet);
  }

  #resync(): void {
    const now = this.#now();
    if (now < this.#askAgainAt) return;
    this.#askAgainAt = now + this.#patience;
    this.#patience *= 2;
    this.#send({ type: "resync" });
  }
}
