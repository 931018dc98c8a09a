// The packets that the kernel's tests hold to: read here byte for byte.
import { describe, expect, it } from "vitest";
import answers from "../../tests/golden/answers.json";
import detail from "../../tests/golden/detail.json";
import planes from "../../tests/golden/planes.json";
import snapshot from "../../tests/golden/snapshot.json";
import update from "../../tests/golden/update.json";
import { decode, VERSION } from "../src/wire";

interface Golden {
  header: Record<string, unknown>;
  columns: Record<string, { type: string; values: (number | string)[] }>;
  frames: string[];
  files: Record<string, string>;
  packet: string;
}

const GOLDEN: Record<string, Golden> = { snapshot, update, planes, detail, answers };

/** JSON does not know these numbers. */
const number = (value: number | string) =>
  typeof value === "number" ? value : ({ inf: Infinity, "-inf": -Infinity }[value] ?? Number.NaN);
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

describe("golden packets", () => {
  it.each(Object.entries(GOLDEN))("%s is what its text says", (_, expected) => {
    const packet = Uint8Array.from(atob(expected.packet), (letter) => letter.charCodeAt(0));
    const { header, columns, frames, file, comparison } = decode(packet);
    const { frames: specs = [], ...texts } = expected.header;
    expect(header).toMatchObject({ version: VERSION, ...texts });
    expect([...columns.keys()]).toEqual(Object.keys(expected.columns));
    for (const [key, { type, values }] of Object.entries(expected.columns)) {
      const numbers = values.map(number);
      expect([...(columns.get(key) ?? [])]).toEqual(
        type === "f4" ? [...Float32Array.from(numbers)] : numbers,
      );
    }
    expect(frames.map(({ bytes }) => hex(bytes))).toEqual(expected.frames);
    expect(frames.map(({ bytes: _, ...spec }) => spec)).toEqual(specs);
    for (const [name, carried] of Object.entries({ file, comparison })) {
      expect(carried ? hex(carried.bytes) : undefined).toBe(expected.files[name]);
      if (carried) expect(carried).toMatchObject(texts[name] as object);
    }
  });
});
