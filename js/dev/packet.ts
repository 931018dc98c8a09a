// Encodes packets as the kernel does (the wire): for the dev page and for tests.
import type { ComparisonSpec, FileSpec, FrameSpec, Header } from "../src/protocol";
import { type ColumnData, type Frame, VERSION } from "../src/wire";

type Texts = Omit<Partial<Header>, "rows" | "columns" | "frames" | "version"> & { version?: number };

/** Files, and other packets, with their bytes. */
interface Carried {
  file?: Omit<FileSpec, "offset" | "length"> & { bytes: Uint8Array };
  comparison?: Omit<ComparisonSpec, "offset" | "length"> & { bytes: Uint8Array };
}

export function encode(
  texts: Texts,
  columns: Record<string, ColumnData> = {},
  frames: readonly Frame[] = [],
  carried: Carried = {},
): Uint8Array<ArrayBuffer> {
  const parts: { offset: number; bytes: Uint8Array }[] = [];
  let bodyLength = 0;
  const add = (data: ArrayBufferView): number => {
    const offset = bodyLength;
    parts.push({ offset, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    bodyLength = align(offset + data.byteLength);
    return offset;
  };
  const specs = Object.entries(columns).map(([key, data]) => ({
    key,
    type: typeOf(data),
    offset: add(data),
  }));
  const frameSpecs: FrameSpec[] = frames.map(({ bytes, ...rest }) => ({
    ...rest,
    offset: add(bytes),
    length: bytes.length,
  }));
  const carriedSpecs = Object.entries(carried).map(([name, { bytes, ...rest }]) => [
    name,
    { ...rest, offset: add(bytes), length: bytes.length },
  ]);
  const header = {
    version: VERSION,
    kind: "update",
    sequence: 1,
    run: "dev",
    ...texts,
    rows: Object.values(columns)[0]?.length ?? 0,
    columns: specs,
    ...(frames.length > 0 ? { frames: frameSpecs } : {}),
    ...Object.fromEntries(carriedSpecs),
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bodyStart = align(4 + json.length);
  const packet = new Uint8Array(bodyStart + bodyLength);
  new DataView(packet.buffer).setUint32(0, json.length, true);
  packet.set(json, 4);
  for (const { offset, bytes } of parts) packet.set(bytes, bodyStart + offset);
  return packet;
}

function align(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function typeOf(data: ColumnData): "f8" | "f4" | "u1" {
  if (data instanceof Float64Array) return "f8";
  return data instanceof Float32Array ? "f4" : "u1";
}
