// Plays the kernel's part on the dev page: streams the made-up run packet by packet and answers requests.
import type { ToKernel } from "../src/messages";
import type { Header } from "../src/protocol";
import type { ColumnData, Frame } from "../src/wire";
import type { FakeModel } from "./fake-model";
import { encode } from "./packet";
import { computeRun, drawScene, ITERATIONS } from "./rail-route";
import {
  captionsAt,
  eventsAt,
  FACT_GROUPS,
  factsFor,
  headAt,
  headlineAt,
  marksAt,
  phasesAt,
  SERIES,
  SUGGESTIONS,
  WATCHED,
} from "./rail-texts";

export class FakeKernel {
  #run = computeRun();
  #sequence = 0;
  #model: FakeModel;

  constructor(model: FakeModel) {
    this.#model = model;
    model.onSend = (content) => void this.#answer(content as ToKernel);
  }

  /** Streams the run up to an iteration, `pause` ms between two; the run ends at its last iteration. */
  async stream(until: number, pause: number): Promise<void> {
    const last = Math.min(until, ITERATIONS - 1);
    for (let iteration = 0; iteration <= last; iteration++) {
      const frames = iteration % 5 === 0 || iteration === last ? [await this.#frame(iteration)] : [];
      this.#send(
        {
          ...(iteration === 0
            ? { series: [...SERIES], groups: [{ key: "y", label: "y", unit: "km" }], watched: [...WATCHED] }
            : {}),
          head: headAt(iteration, iteration === ITERATIONS - 1 ? "finished" : "running"),
          phases: phasesAt(iteration),
          events: eventsAt(iteration),
          facts: iteration >= 14 ? factsFor(this.#run) : [],
          fact_groups: [...FACT_GROUPS],
          captions: captionsAt(this.#run, iteration),
          headline: headlineAt(this.#run, iteration),
          marks: marksAt(iteration),
          suggestions: iteration === ITERATIONS - 1 ? SUGGESTIONS : [],
        },
        this.#rows(iteration, iteration + 1),
        frames,
      );
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  #rows(from: number, to: number): Record<string, ColumnData> {
    const columns: Record<string, ColumnData> = {
      iteration: Float64Array.from({ length: to - from }, (_, index) => from + index),
      loss: this.#run.loss.slice(from, to),
      accepted: new Uint8Array(to - from).fill(1),
    };
    this.#run.values.forEach((values, key) => {
      columns[`p${key}`] = values.slice(from, to);
    });
    this.#run.gradients.forEach((values, key) => {
      columns[`g${key}`] = values.slice(from, to);
    });
    for (const [key, values] of Object.entries(this.#run.watched)) columns[key] = values.slice(from, to);
    return columns;
  }

  async #frame(iteration: number): Promise<Frame> {
    const at = (row: number) => this.#run.values.map((values) => values[row] ?? 0);
    const bytes = await drawScene(at(iteration), at(0));
    return { iteration, bytes, type: "image/png", width: 680, height: 400 };
  }

  #send(texts: Partial<Header>, columns: Record<string, ColumnData> = {}, frames: Frame[] = []): void {
    const { version: _, rows: __, columns: ___, frames: ____, ...rest } = texts;
    this.#model.receive(encode({ ...rest, kind: "update", sequence: ++this.#sequence }, columns, frames));
  }

  async #answer(message: ToKernel): Promise<void> {
    if (message.type === "scene") this.#send({}, {}, [await this.#frame(message.iteration)]);
    if (message.type === "explain") {
      const captions = captionsAt(this.#run, ITERATIONS - 1);
      const [like] = captions;
      if (like)
        this.#send({
          captions: [
            ...captions,
            { ...like, id: "s1", heading: "These iterations", span: message.span, role: "asked" },
          ],
        });
    }
    if (message.type !== "ask") return;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const [caption] = captionsAt(this.#run, ITERATIONS - 1);
    if (caption) this.#send({ answers: [{ request: message.request, caption: { ...caption, id: "a1" } }] });
  }
}
