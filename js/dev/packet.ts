// Encodes packets as the kernel does (the wire, version 1): for the dev page and for tests.
import type { FrameSpec, Header } from "../src/protocol";
import type { ColumnData, Frame } from "../src/wire";

type Texts = Omit<Partial<Header>, "rows" | "columns" | "frames" | "version"> & { version?: number };

export function encode(
  texts: Texts,
  columns: Record<string, ColumnData> = {},
  frames: readonly Frame[] = [],
  file: { request: number; bytes: Uint8Array } | null = null,
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
  const fileSpec = file && {
    file: { request: file.request, offset: add(file.bytes), length: file.bytes.length },
  };
  const header = {
    version: 1,
    kind: "update",
    sequence: 1,
    run: "dev",
    ...texts,
    rows: Object.values(columns)[0]?.length ?? 0,
    columns: specs,
    ...(frames.length > 0 ? { frames: frameSpecs } : {}),
    ...fileSpec,
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
