// Runs that are not pretty: each must look deliberate all the same. Chosen with ?case=… on the dev page.
import type { Header, Pull, Series } from "../src/protocol";
import type { ColumnData } from "../src/wire";
import { encode } from "./packet";
import { headAt, SERIES } from "./rail-texts";

const base = SERIES[0] as Series;

function packet(
  rows: number,
  series: Partial<Series>[],
  loss: (row: number) => number,
  more: Partial<Header> = {},
  value = (key: number, row: number) => Math.sin(key + row / (9 + key)) + key / 10,
): Uint8Array<ArrayBuffer> {
  const each = (f: (row: number) => number) => Float64Array.from({ length: rows }, (_, row) => f(row));
  const columns: Record<string, ColumnData> = { iteration: each((row) => row), loss: each(loss) };
  series.forEach((_, key) => {
    columns[`p${key}`] = each((row) => value(key, row));
    columns[`g${key}`] = Float32Array.from(each((row) => Math.cos(key + row / (9 + key))));
  });
  const { version: _, rows: __, columns: ___, frames: ____, ...texts } = more;
  return encode(
    {
      kind: "snapshot",
      sequence: 1,
      head: {
        ...headAt(rows - 1, "finished"),
        has_scene: false,
        state: rows === 1 ? "finished · 1 iteration" : `finished · ${rows} iterations`,
      },
      series: series.map((one, key) => ({
        ...base,
        key,
        name: `p[${key}]`,
        label: `p[${key}]`,
        unit: "",
        ...one,
      })),
      groups: [{ key: "y", label: "p", unit: "" }],
      ...texts,
    },
    columns,
  );
}

const head = headAt(0, "finished");

/** A server without a model: offered, being downloaded, failed. */
const missing = (pull: Partial<Pull>) => () =>
  packet(90, [{}, {}, {}], (row) => 40 / (row + 1), {
    head: {
      ...head,
      writer: {
        text: "built-in text",
        hint: "Ollama answers at http://127.0.0.1:11434, but it has no model yet.",
        command: "ollama pull llama3.2",
        pull: {
          model: "llama3.2",
          size: "about 2 GB",
          note: "Ollama will download it from the Ollama library over the internet.",
          problem: "",
          going: false,
          text: "",
          percent: null,
          ...pull,
        },
      },
    },
  });
const KEPT =
  "You can go on working. If you cancel, Ollama keeps what it has downloaded and goes on from there next time.";

export const ODD_RUNS: Record<string, () => Uint8Array<ArrayBuffer>> = {
  waiting: () =>
    encode({
      kind: "snapshot",
      head: { ...headAt(0, "running"), state: "waiting for gradients", busy: false },
    }),
  empty: () =>
    encode({
      kind: "snapshot",
      head: {
        ...head,
        tone: "warning",
        state: "nothing recorded",
        writer: { text: "built-in text", hint: "start Ollama for more", command: "ollama serve", pull: null },
        notices: [
          "The cell made no differentiation with autograd. Call grad(f)(x) inside the cell, or use xi.record().",
        ],
      },
    }),
  absent: () =>
    packet(90, [{}, {}, {}], (row) => 40 / (row + 1), {
      head: {
        ...head,
        writer: { text: "built-in text", hint: "start Ollama for more", command: "ollama serve", pull: null },
        notices: ["This is what a notice looks like."],
      },
    }),
  offered: missing({}),
  asking: missing({ going: true, text: "waiting for the Ollama library", note: KEPT }),
  pulling: missing({ going: true, text: "0.6 of 2.0 GB · 30 %", percent: 30, note: KEPT }),
  unpulled: missing({
    problem:
      "Ollama could not reach the Ollama library. Check the internet connection and try again: what was downloaded is kept.",
  }),
  unknown: missing({
    model: "hf.co/someone/Llama-3.2-3B-Instruct-GGUF-with-a-long-name:Q4_K_M",
    size: "",
    note: "Ollama will download it from hf.co over the internet. Its size is shown once the download begins.",
  }),
  one: () => packet(1, [{}, {}], () => 3.25),
  constant: () =>
    packet(
      60,
      [{}, {}],
      () => 2,
      {},
      (key) => 1 + key,
    ),
  nan: () =>
    packet(40, [{}], () => Number.NaN, {
      head: {
        ...head,
        has_scene: false,
        tone: "bad",
        state: "diverged at 0",
        notices: ["The loss is NaN from iteration 0 on."],
      },
    }),
  log: () =>
    packet(
      2000,
      [{ bounds: [-2, 2], truth: 0.5 }, { truth: -0.4 }],
      (row) => 400 * Math.exp(-row / 180) + 1e-3 * (1 + Math.sin(row)),
      {
        phases: [
          { start: 0, stop: 1200, kind: "descent", label: "descent" },
          { start: 1200, stop: 2000, kind: "converged", label: "converged" },
        ],
      },
    ),
  long: () =>
    packet(200_000, [{}, {}, {}, {}, {}, {}], (row) => 10 * Math.exp(-row / 4e4) + Math.random() / 10),
  many: () =>
    packet(
      300,
      Array.from({ length: 500 }, (_, key) => ({ shown: key < 40 })),
      (row) => 1 / (row + 1),
    ),
  groups: () =>
    packet(
      300,
      ["a", "b", "c", "d", "e", "f", "g", "h"].map((group) => ({ group })),
      (row) => 1 / (row + 1),
      {
        groups: ["a", "b", "c", "d", "e", "f", "g", "h"].map((key) => ({
          key,
          label: `group ${key}`,
          unit: "kg·m/s²",
        })),
      },
    ),
  names: () =>
    packet(
      50,
      [
        { name: "θ₁", label: "θ₁ · ∂ Greek", unit: "µm" },
        { name: "火车", label: "火车站北边的控制点", unit: "公里" },
        { name: "html", label: "<img src=x onerror=alert(1)>", unit: "<b>" },
        {
          name: "long",
          label: "a very long name with many spaces that cannot possibly fit in here",
          unit: "m",
        },
      ],
      (row) => 10 - row / 10,
      {
        head: {
          ...head,
          has_scene: false,
          title:
            "<b>Überlange</b> Läufe mit 火车 & a title that goes on and on until it meets the other side",
        },
        captions: [
          {
            id: "c0",
            heading: "<i>Heading</i>",
            span: [0, 49],
            parts: [
              { text: "The name <img src=x onerror=alert(1)> stays text; ", kind: "text" },
              { text: "θ₁", kind: "name" },
            ],
            cites: ["F1"],
            line: "built-in text",
            tone: "neutral",
            writing: true,
            sentences: [],
            provenance: {},
            role: "chapter",
            short: [],
          },
        ],
      },
    ),
  rejected: () => {
    const rows = 60;
    const each = (f: (row: number) => number) => Float64Array.from({ length: rows }, (_, row) => f(row));
    const trial = (row: number) => row % 3 === 1;
    return encode(
      {
        kind: "snapshot",
        head: { ...head, has_scene: false },
        series: [base],
        groups: [{ key: "y", label: "y", unit: "km" }],
      },
      {
        iteration: each((row) => row),
        loss: each((row) => 30 * Math.exp(-row / 20) + (trial(row) ? 8 : 0)),
        accepted: Uint8Array.from({ length: rows }, (_, row) => (trial(row) ? 0 : 1)),
        p0: each((row) => Math.exp(-row / 20) + (trial(row) ? 0.3 : 0)),
        g0: Float32Array.from(each((row) => -Math.exp(-row / 20))),
      },
    );
  },
  watched: () => {
    const rows = 240;
    const each = (f: (row: number) => number) => Float64Array.from({ length: rows }, (_, row) => f(row));
    const names = [
      "height of the apex",
      "风速",
      "energy",
      "a quantity with a long name and no unit",
      "f",
      "g",
    ];
    const columns: Record<string, ColumnData> = {
      iteration: each((row) => row),
      loss: each((row) => 30 * Math.exp(-row / 20)),
      p0: each((row) => Math.exp(-row / 20)),
      g0: Float32Array.from(each((row) => -Math.exp(-row / 20))),
    };
    names.forEach((_, key) => {
      columns[`w${key}`] = each((row) =>
        key === 1 && row % 60 > 40 ? Number.NaN : 10 ** (3 - 3 * key) * Math.sin(row / 30 + key),
      );
      if (key === 2) columns.h2 = each((row) => 10 ** -3 * (Math.sin(row / 30 + key) + 1.5));
      columns[`d${key}`] = Float32Array.from(each((row) => Math.cos(row / 40 + key)));
    });
    return encode(
      {
        kind: "snapshot",
        head: { ...head, has_scene: false, loss_label: "miss", loss_unit: "m" },
        series: [{ ...base, label: "speed", group: "speed" }],
        groups: [{ key: "speed", label: "speed", unit: "m/s" }],
        watched: names.map((name, key) => ({
          key,
          name,
          unit: key === 0 ? "m" : key === 2 ? "kJ" : "",
          several: key === 2,
          shown: key < 4,
        })),
      },
      columns,
    );
  },
  events: () => {
    const phases = ["forward", "backward", "optimizer"] as const;
    const texts = [
      "the train slows beside the village, where the line is narrow, and the grade exceeds what was allowed for it",
      "the village asks village-west to move north",
      "the step was halved",
    ];
    return packet(1000, [{}], (row) => 1 / (row + 1), {
      events: Array.from({ length: 3000 }, (_, index) => ({
        id: `e${index + 1}`,
        evaluation: Math.floor(index / 3),
        phase: phases[index % 3] ?? "forward",
        text: texts[index % 3] ?? "",
        stage: index % 9 === 0 ? "drive" : "",
        count: index % 7 === 0 ? 12 : 1,
        lane: true,
      })),
    });
  },
  compared: () => {
    const rows = 120;
    const each = (f: (row: number) => number) => Float64Array.from({ length: rows }, (_, row) => f(row));
    const runs = ["Adam", "SGD"];
    const groups = [
      { key: "0", label: "miss", unit: "m", log: true },
      { key: "1", label: "speed", unit: "m/s", log: false },
    ];
    const ends = (run: number, row: number) => (run === 0 && row > 80 ? Number.NaN : 1);
    return encode(
      {
        kind: "snapshot",
        run: "a-b",
        head: {
          ...head,
          title: "Adam and SGD compared",
          tone: "neutral",
          state: "2 runs",
          optimizer: "",
          writer: { text: "", hint: "", command: "", pull: null },
          has_scene: false,
          compared: true,
        },
        series: groups.flatMap(({ key, unit }, group) =>
          runs.map((name, run) => ({
            ...base,
            key: 2 * group + run,
            name,
            label: name,
            unit,
            group: key,
            colour: run,
          })),
        ),
        groups,
        captions: [
          {
            id: "c0",
            heading: "Differences",
            span: [0, rows - 1],
            parts: [
              { text: "Adam", kind: "name" },
              { text: " reached ", kind: "text" },
              { text: "1 %", kind: "number" },
              { text: " of the loss at the start after ", kind: "text" },
              { text: "31", kind: "number" },
              { text: " evaluations, SGD after ", kind: "text" },
              { text: "98", kind: "number" },
              { text: ".", kind: "text" },
            ],
            cites: [],
            line: "built-in text",
            tone: "neutral",
            writing: false,
            sentences: [],
            provenance: {},
            role: "chapter",
            short: [],
          },
        ],
      },
      {
        iteration: each((row) => row),
        p0: each((row) => 30 * Math.exp(-row / 7) * ends(0, row)),
        p1: each((row) => 30 * Math.exp(-row / 21)),
        p2: each((row) => (2 - Math.exp(-row / 7)) * ends(0, row)),
        p3: each((row) => 2 - Math.exp(-row / 21)),
      },
    );
  },
  version: () => encode({ version: 1, kind: "snapshot" }),
};
