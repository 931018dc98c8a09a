// Turns one packet of bytes into a header and typed arrays. The twin of the kernel's encoder:
// uint32 length | JSON header | padding to a multiple of 8 | body, or four bytes of ones and that deflated. Knows the layout and nothing else.
import type { ColumnSpec, ComparisonSpec, FileSpec, FrameSpec, Header } from "./protocol";

export const VERSION: Header["version"] = 2;

export type ColumnData = Float64Array | Float32Array | Uint8Array;

export type Bytes = Uint8Array<ArrayBuffer>;

/** Something with its bytes in place of where they lie. */
type Decoded<Spec> = Omit<Spec, "offset" | "length"> & { bytes: Bytes };

export type Frame = Decoded<FrameSpec>;

export type File = Decoded<FileSpec>;

export interface Packet {
  header: Header;
  columns: Map<string, ColumnData>;
  frames: Frame[];
  file: File | null;
  comparison: Decoded<ComparisonSpec> | null;
}

/** A packet that cannot be read; its message is written for the reader of the notebook. */
export class WireError extends Error {}

/** Decodes a packet wherever it lies in its buffer. Everything is copied, so the packet may be thrown away. */
export function decode(packet: DataView | Uint8Array): Packet {
  const bytes = new Uint8Array(packet.buffer, packet.byteOffset, packet.byteLength);
  if (bytes.length < 4) throw new WireError("The recording's data are cut short.");
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const bodyStart = Math.ceil((4 + headerLength) / 8) * 8;
  if (bytes.length < 4 + headerLength) throw new WireError("The recording's data are cut short.");

  const header = parseHeader(bytes.subarray(4, 4 + headerLength));
  const body = bytes.subarray(Math.min(bodyStart, bytes.length));
  const columns = new Map<string, ColumnData>();
  for (const spec of header.columns) columns.set(spec.key, readColumn(body, spec, header.rows));
  const withBytes = <Spec extends { offset: number; length: number }>({ offset, length, ...rest }: Spec) => ({
    ...rest,
    bytes: part(body, offset, length),
  });
  return {
    header,
    columns,
    frames: (header.frames ?? []).map(withBytes),
    file: header.file ? withBytes(header.file) : null,
    comparison: header.comparison ? withBytes(header.comparison) : null,
  };
}

function parseHeader(bytes: Uint8Array): Header {
  let header: Partial<Omit<Header, "version">> & { version?: unknown };
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new WireError("The recording's data cannot be read.");
  }
  if (header?.version !== VERSION) {
    throw new WireError(
      `This view reads recordings of version ${VERSION}, but this one has version ${String(header?.version)}. ` +
        "Install the same version of xinv-nb where Jupyter and where the kernel run, then reload the page.",
    );
  }
  return { ...header, rows: header.rows ?? 0, columns: header.columns ?? [] } as Header;
}

export function isDeflated(packet: DataView | Uint8Array): boolean {
  return (
    packet.byteLength > 4 && new Uint8Array(packet.buffer, packet.byteOffset, 4).every((byte) => byte === 255)
  );
}

export async function inflate(packet: DataView | Uint8Array): Promise<Uint8Array> {
  const bytes = new Uint8Array(packet.buffer as ArrayBuffer, packet.byteOffset + 4, packet.byteLength - 4);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(inflated).arrayBuffer());
}

function readColumn(body: Uint8Array, spec: ColumnSpec, rows: number): ColumnData {
  const { type, offset } = spec;
  const numbers = (size: number) => {
    const bytes = part(body, offset, size * rows);
    return (spec.planes ? outOfPlanes(bytes, size) : bytes).buffer;
  };
  switch (type) {
    case "f8":
      return new Float64Array(numbers(8));
    case "f4":
      return new Float32Array(numbers(4));
    case "u1":
      return part(body, offset, rows);
    default:
      throw new WireError(`The recording has a column of the unknown type “${String(type)}”.`);
  }
}

/** First bytes of all numbers, then second ones, and so on; here each number has its own together again. */
function outOfPlanes(bytes: Bytes, size: number): Bytes {
  const rows = bytes.length / size;
  const numbers = new Uint8Array(bytes.length);
  for (let byte = 0, from = 0; byte < size; byte++) {
    for (let row = 0; row < rows; row++) numbers[row * size + byte] = bytes[from++] as number;
  }
  return numbers;
}

/** A copy, because a typed array needs an aligned start and a packet may lie at any byte. */
function part(body: Uint8Array, offset: number, length: number): Bytes {
  if (offset + length > body.length) throw new WireError("The recording's data are cut short.");
  return body.slice(offset, offset + length) as Bytes;
}
