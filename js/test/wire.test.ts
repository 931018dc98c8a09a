import { describe, expect, it } from "vitest";
import { encode } from "../dev/packet";
import { decode, VERSION, WireError } from "../src/wire";

const columns = {
  iteration: Float64Array.of(0, 1, 2),
  loss: Float64Array.of(3, Number.NaN, Number.POSITIVE_INFINITY),
  accepted: Uint8Array.of(1, 0, 1),
  g0: Float32Array.of(0.5, -0.5, Number.NaN),
};
const frame = { iteration: 1, bytes: Uint8Array.of(9, 8, 7), type: "image/png", width: 10, height: 5 };

describe("decode", () => {
  it("gives back what was encoded, bit for bit", () => {
    const packet = decode(encode({ kind: "snapshot", sequence: 4, run: "abc" }, columns, [frame]));
    expect(packet.header).toMatchObject({
      version: VERSION,
      kind: "snapshot",
      sequence: 4,
      run: "abc",
      rows: 3,
    });
    for (const [key, values] of Object.entries(columns)) expect(packet.columns.get(key)).toEqual(values);
    expect(packet.frames).toEqual([frame]);
  });

  it.each([1, 3, 7])("reads a packet that lies %i bytes into its buffer", (shift) => {
    const packet = encode({}, columns, [frame]);
    const around = new Uint8Array(packet.length + 16).fill(0xff);
    around.set(packet, shift);
    const decoded = decode(new DataView(around.buffer, shift, packet.length));
    expect(decoded.columns.get("loss")).toEqual(columns.loss);
    expect(decoded.frames[0]?.bytes).toEqual(frame.bytes);
  });

  it("keeps no hold of the packet's buffer", () => {
    const packet = encode({}, columns);
    const decoded = decode(packet);
    packet.fill(0);
    expect(decoded.columns.get("iteration")).toEqual(columns.iteration);
  });

  it("says which version it cannot read and what to do", () => {
    expect(() => decode(encode({ version: 99 }))).toThrow(/version 99.*Install the same version/s);
  });

  it("refuses a packet cut anywhere", () => {
    const packet = encode({}, { iteration: Float64Array.of(1, 2), loss: Float64Array.of(3, 4) });
    for (let length = 0; length < packet.length; length++) {
      expect(() => decode(packet.slice(0, length)), `${length} bytes`).toThrow(WireError);
    }
  });

  it("refuses what is no JSON", () => {
    const packet = encode({});
    packet[4] = 0x21;
    expect(() => decode(packet)).toThrow(WireError);
  });

  it("reads text in any script", () => {
    const decoded = decode(encode({ head: { title: "火车 θ₁ <b>" } as never }));
    expect(decoded.header.head?.title).toBe("火车 θ₁ <b>");
  });
});
