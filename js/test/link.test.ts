import { beforeEach, describe, expect, it } from "vitest";
import { encode } from "../dev/packet";
import { Link } from "../src/link";
import type { ToKernel } from "../src/messages";
import { Store } from "../src/store";
import { CAPTION } from "./caption";

let store: Store;
let link: Link;
let sent: ToKernel[];
let now: number;

const rows = (...iterations: number[]) => ({
  iteration: Float64Array.from(iterations),
  loss: Float64Array.from(iterations, (k) => 10 - k),
});
const iterations = () => [...store.history.column("iteration")];

beforeEach(() => {
  store = new Store();
  sent = [];
  now = 0;
  link = new Link(
    store,
    (message) => sent.push(message),
    null,
    () => now,
  );
});

describe("packets in sequence", () => {
  it("appends updates and ignores repeated ones", () => {
    link.receive(encode({ sequence: 1 }, rows(0, 1)));
    link.receive(encode({ sequence: 2 }, rows(2)));
    link.receive(encode({ sequence: 2 }, rows(2)));
    expect(iterations()).toEqual([0, 1, 2]);
    expect(sent).toEqual([]);
  });

  it("continues a snapshot", () => {
    link.receive(encode({ kind: "snapshot", sequence: 7 }, rows(0, 1, 2)));
    link.receive(encode({ sequence: 7 }, rows(2)));
    link.receive(encode({ sequence: 8 }, rows(3)));
    expect(iterations()).toEqual([0, 1, 2, 3]);
  });

  it("answers a gap with one resync, shows what follows, and draws no line across", () => {
    link.receive(encode({ sequence: 1 }, rows(0, 1)));
    link.receive(encode({ sequence: 3 }, rows(5)));
    link.receive(encode({ sequence: 4 }, rows(6)));
    expect(sent).toEqual([{ type: "resync" }]);
    expect(store.incomplete.value).toBe(true);
    expect(iterations()).toEqual([0, 1, 2, 5, 6]);
    expect(store.history.value("loss", 2)).toBeNaN();

    link.receive(encode({ kind: "snapshot", sequence: 4 }, rows(0, 1, 2, 3, 4, 5, 6)));
    expect(store.incomplete.value).toBe(false);
    expect(iterations()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(store.history.value("loss", 2)).toBe(8);
  });

  it("asks again, ever more rarely, while nothing comes", () => {
    link.receive(encode({ sequence: 1 }, rows(0)));
    let sequence = 3;
    for (now = 0; now <= 60_000; now += 100) link.receive(encode({ sequence: sequence++ }, rows(sequence)));
    expect(sent.length).toBeGreaterThan(1);
    expect(sent.length).toBeLessThan(7);
  });

  it("asks when the beginning was missed", () => {
    link.receive(encode({ sequence: 5 }, rows(9)));
    expect(sent).toEqual([{ type: "resync" }]);
  });

  it("takes no snapshot that is older than what is known", () => {
    link.receive(encode({ kind: "snapshot", sequence: 3 }, rows(0, 1, 2)));
    link.receive(encode({ kind: "snapshot", sequence: 2 }, rows(0, 1)));
    expect(iterations()).toEqual([0, 1, 2]);
  });

  it("takes nothing from an empty snapshot, and says so when one cannot be read", () => {
    link.receive(new DataView(new ArrayBuffer(0)));
    expect(store.problem.value).toBe("");
    link.receive(encode({ version: 99 }));
    expect(store.problem.value).toContain("version 99");
  });
});

describe("requests", () => {
  it("asks for a scene once until it is answered, and never without a kernel", () => {
    link.requestScene(3);
    expect(sent).toEqual([]);
    link.hasKernel.value = true;
    link.requestScene(3);
    link.requestScene(3);
    expect(sent).toEqual([{ type: "scene", iteration: 3 }]);
    link.receive(encode({ sequence: 1, frame_error: { iteration: 3, text: "ZeroDivisionError" } }));
    expect(store.frameError.value?.text).toBe("ZeroDivisionError");
    link.requestScene(3);
    expect(sent.length).toBe(2);
  });

  it("puts an answer to its question", () => {
    link.ask("why?", [1, 2]);
    const [question] = store.questions.value;
    expect(sent[0]).toMatchObject({
      type: "ask",
      question: "why?",
      span: [1, 2],
      request: question?.request,
    });
    const caption = { ...CAPTION, heading: "Answer" };
    link.receive(encode({ sequence: 1, answers: [{ request: question?.request ?? 0, caption }] }));
    expect(store.questions.value).toHaveLength(1);
    expect(store.questions.value[0]?.answer?.heading).toBe("Answer");
  });

  it("gives each answer to the request that it answers, and says why there is none", async () => {
    const [file, runs, others] = [link.requestFile("page"), link.requestRuns(), link.requestFile("data")];
    const [first, second, third] = sent.map((message) => (message as { request: number }).request);
    expect(new Set([first, second, third]).size).toBe(3);
    const other = { id: "b", name: "other", state: "converged" };
    link.receive(encode({ sequence: 1, other_runs: { request: second as number, runs: [other] } }));
    expect(await runs).toEqual([other]);
    const failure = { request: third as number, text: "The disk is full." };
    link.receive(encode({ sequence: 2, failure }));
    await expect(others).rejects.toThrow("The disk is full.");
    const content = {
      request: first as number,
      name: "run.html",
      type: "text/html",
      bytes: Uint8Array.of(1),
    };
    link.receive(encode({ sequence: 3 }, {}, [], { file: content }));
    expect(await file).toEqual(content);
  });

  it("puts the rows of a part in the place of fewer, those that it asked for and no others", () => {
    link.receive(encode({ kind: "snapshot", sequence: 1 }, rows(0, 10, 20)));
    link.requestRows([4, 6]);
    link.requestRows([14, 16]);
    expect(sent).toHaveLength(1);
    const { request } = sent[0] as { request: number };
    link.receive(
      encode({ sequence: 2, detail: { request: request + 1, span: [1, 2], thinned: 1 } }, rows(1, 2)),
    );
    expect(iterations()).toEqual([0, 10, 20]);
    link.receive(encode({ sequence: 3, detail: { request, span: [4, 6], thinned: 1 } }, rows(4, 5, 6)));
    expect(iterations()).toEqual([0, 4, 5, 6, 10, 20]);
    expect(store.detail.value?.span).toEqual([4, 6]);
    link.receive(encode({ kind: "snapshot", sequence: 3 }, rows(0, 10, 20)));
    expect(store.detail.value).toBeNull();
    link.requestRows([14, 16]);
    expect(sent).toHaveLength(2);
  });
});
