// A stand-in for the model that anywidget gives: traits in a map, a message sent is handed to `onSend`.
import type { HostTraits, Model } from "../src/model";

type Listener = (...args: never[]) => void;

export class FakeModel {
  /** What the reader's doing has sent. */
  readonly sent: unknown[] = [];
  greetings = 0;
  onSend: (content: unknown) => void = () => {};
  #listeners = new Map<string, Set<Listener>>();
  #traits: HostTraits;

  constructor(traits: Partial<HostTraits> = {}) {
    this.#traits = { iteration: -1, span: [], selected: [], _snapshot: null, _has_kernel: true, ...traits };
  }

  get<K extends keyof HostTraits>(name: K): HostTraits[K] {
    return this.#traits[name];
  }

  set<K extends keyof HostTraits>(name: K, value: HostTraits[K]): void {
    this.#traits[name] = value;
    this.#emit(`change:${name}`);
  }

  save_changes(): void {}

  send(content: unknown): void {
    if ((content as { type?: unknown }).type === "hello") {
      this.greetings++;
      return;
    }
    this.sent.push(content);
    this.onSend(content);
  }

  on(name: string, listener: Listener): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
  }

  off(name?: string | null, listener?: Listener | null): void {
    if (name && listener) this.#listeners.get(name)?.delete(listener);
  }

  /** A packet arrives from the kernel. */
  receive(packet: Uint8Array<ArrayBuffer>): void {
    this.#emit("msg:custom", { type: "packet" }, [new DataView(packet.buffer)]);
  }

  /** A message without data arrives from the kernel. */
  say(content: unknown): void {
    this.#emit("msg:custom", content, []);
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  asModel(): Model {
    return this as unknown as Model;
  }

  #emit(name: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...(args as never[]));
  }
}
