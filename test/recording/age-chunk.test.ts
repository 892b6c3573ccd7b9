import { expect, test } from "bun:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { createChunkDecrypter, createChunkEncrypter } from "../../src/recording/age-chunk.ts";
import { CHUNK_TEXT_BYTES_MAX } from "../../src/recording/cast.ts";
import { RECORDING_CHUNK_BYTES_MAX, RECORDING_RECIPIENTS_MAX } from "../../src/wire/recording.ts";

const TEXT = Buffer.from('[1.0, "o", "secret"]\n');

test("each recipient opens a chunk alone, with a file as age-keygen writes it", async () => {
  const identities = await Promise.all([generateX25519Identity(), generateX25519Identity()]);
  const recipients = await Promise.all(identities.map(identityToRecipient));
  const packed = await createChunkEncrypter(recipients)(TEXT);
  expect(Buffer.from(packed).toString("latin1")).toStartWith("age-encryption.org/v1\n");
  expect(Buffer.from(packed).includes("secret")).toBe(false);
  for (const identity of identities) {
    const open = createChunkDecrypter(`# created: today\n# public key: …\n${identity}\n`);
    expect(Buffer.from(await open(packed))).toEqual(TEXT);
  }
});

test("somebody else's identity opens nothing, and neither does a chunk that was changed", async () => {
  const identity = await generateX25519Identity();
  const packed = await createChunkEncrypter([await identityToRecipient(identity)])(TEXT);
  const other = createChunkDecrypter(await generateX25519Identity());
  expect(other(packed)).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  const changed = Uint8Array.from(packed);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  expect(createChunkDecrypter(identity)(changed)).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
});

test.each([
  { name: "is empty", text: "# nothing\n" },
  { name: "holds a recipient", text: "age1qqqq\n" },
])("an identity file that $name is refused", ({ text }) => {
  expect(() => createChunkDecrypter(text)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
});

test("the largest chunk for as many recipients as there may be fits its bound", async () => {
  const recipient = await identityToRecipient(await generateX25519Identity());
  const recipients = Array.from({ length: RECORDING_RECIPIENTS_MAX }, () => recipient);
  const packed = await createChunkEncrypter(recipients)(new Uint8Array(CHUNK_TEXT_BYTES_MAX));
  expect(packed.length).toBeLessThanOrEqual(RECORDING_CHUNK_BYTES_MAX);
});
