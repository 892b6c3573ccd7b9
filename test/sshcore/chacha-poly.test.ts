/** chacha20-poly1305@openssh.com: what one end seals the other opens, and nothing that was changed. */
import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { create, hasChaChaPoly, TAG_BYTES } from "../../src/sshcore/chacha-poly.ts";

const made = create();

describe.skipIf(made === null)("chacha20-poly1305", () => {
  const poly = made ?? (undefined as never);
  const [main, length] = [randomBytes(32), randomBytes(32)];
  const seal = (sequence: number, bytes: number) => {
    const packet = Buffer.concat([Buffer.alloc(4), randomBytes(bytes)]);
    packet.writeUInt32BE(bytes);
    const target = Buffer.alloc(packet.length + TAG_BYTES);
    poly.seal(main, length, sequence, packet, target);
    return {
      plain: packet.subarray(4),
      head: Buffer.from(target.subarray(0, 4)),
      data: Buffer.from(target.subarray(4, packet.length)),
      tag: Buffer.from(target.subarray(packet.length)),
    };
  };

  test("computes what OpenSSH computes, or it would not be offered", () => {
    expect(hasChaChaPoly()).toBe(true);
  });

  test.each([8, 16, 64, 1_000, 32_768, 262_144])("opens %i bytes as they were", (bytes) => {
    for (const sequence of [0, 1, 0xffff_ffff]) {
      const { plain, head, data, tag } = seal(sequence, bytes);
      expect(poly.openLength(length, sequence, head)).toBe(bytes);
      expect(poly.open(main, sequence, head, data, tag)).toBe(true);
      expect(data.equals(plain)).toBe(true);
    }
  });

  test.each(["head", "data", "tag"] as const)(
    "refuses a bit changed in the %s, and leaves the rest",
    (part) => {
      const sealed = seal(5, 64);
      for (let bit = 0; bit < sealed[part].length * 8; bit++) {
        const changed = { ...sealed, [part]: Buffer.from(sealed[part]) };
        changed[part][bit >> 3] = (changed[part][bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const before = Buffer.from(changed.data);
        expect(poly.open(main, 5, changed.head, changed.data, changed.tag)).toBe(false);
        expect(changed.data.equals(before)).toBe(true);
      }
    },
  );

  test("refuses a packet of another place, and another key", () => {
    const { head, data, tag } = seal(5, 64);
    expect(poly.open(main, 6, head, data, tag)).toBe(false);
    expect(poly.open(randomBytes(32), 5, head, data, tag)).toBe(false);
  });
});
