import { expect, test } from "bun:test";
import { ed25519FromSeed, generateEd25519 } from "../../src/base/ed25519.ts";
import {
  checkpointText,
  keyId,
  logOrigin,
  openCheckpoint,
  parseVerifierKey,
  readNote,
  signCheckpoint,
  verifierKey,
} from "../../src/log/checkpoint.ts";
import { leafHash } from "../../src/log/tree-hash.ts";

const origin = "qf.example.com/qufabric/d34hgk3f9s8d7f6g5h4j";
const key = ed25519FromSeed(Buffer.alloc(32, 7).toString("base64url"));
const noteKey = { name: origin, publicKey: key.publicKey };
const checkpoint = { origin, size: 1234, root: leafHash("a") };
const note = signCheckpoint(checkpoint, key);

test("the origin is the public host, with a port that is not the usual one, and the account", () => {
  expect(logOrigin("https://qf.example.com", "d34hgk3f9s8d7f6g5h4j")).toBe(origin);
  expect(logOrigin("https://qf.example.com:8443", "a")).toBe("qf.example.com:8443/qufabric/a");
});

test("a note is the text, an empty line, and a signature line with the key's id", () => {
  const [text, signature] = note.split("\n\n");
  expect(`${text}\n`).toBe(checkpointText(checkpoint));
  const encoded = /^\u2014 (\S+) (\S+)\n$/u.exec(signature ?? "");
  expect(encoded?.[1]).toBe(origin);
  const bytes = Buffer.from(encoded?.[2] ?? "", "base64");
  expect(bytes.subarray(0, 4).equals(keyId(noteKey))).toBe(true);
  expect(bytes.length).toBe(4 + 64);
});

test("a note that its key has signed opens, also beside signatures of others", () => {
  expect(openCheckpoint(note, [noteKey])).toMatchObject(checkpoint);
  const witness = `\u2014 witness.example ${Buffer.alloc(76, 1).toString("base64")}\n`;
  expect(openCheckpoint(note + witness, [noteKey])).toMatchObject(checkpoint);
});

test.each([
  ["of another key", note, [{ name: origin, publicKey: generateEd25519().publicKey }]],
  ["of a key by another name", note, [{ ...noteKey, name: `${origin}x` }]],
  ["of another origin by the same key", signCheckpoint({ ...checkpoint, origin: "other" }, key), [noteKey]],
  ["with another size", note.replace("1234", "1235"), [noteKey]],
  [
    "with another root",
    note.replace(/\n[A-Za-z0-9+/]{43}=/, `\n${Buffer.alloc(32).toString("base64")}`),
    [noteKey],
  ],
  ["without a signature", `${checkpointText(checkpoint)}\n`, [noteKey]],
])("a note %s does not open", (_, text, keys) => {
  expect(openCheckpoint(text, keys)).toBeUndefined();
});

test.each([
  ["nothing", ""],
  ["no empty line", note.replace("\n\n", "\n")],
  ["a size with a leading zero", note.replace("\n1234\n", "\n01234\n")],
  ["a negative size", note.replace("\n1234\n", "\n-1\n")],
  ["a size that is not exact", note.replace("\n1234\n", "\n9999999999999999\n")],
  ["a root of 31 bytes", note.replace(/\n[A-Za-z0-9+/]{43}=/, `\n${Buffer.alloc(31).toString("base64")}`)],
  ["a carriage return", note.replaceAll("\n", "\r\n")],
  ["a plus in the name", note.replaceAll("qf.example.com", "qf+example.com")],
  ["a line more in the text", note.replace("\n\n", "\nextension\n\n")],
  ["no last newline", note.slice(0, -1)],
  ["too many signatures", note + (note.split("\n\n")[1] ?? "").repeat(16)],
  ["more bytes than any note", `${note}${"x".repeat(5000)}\n`],
])("a note with %s is not read", (_, text) => {
  expect(readNote(text)).toBeUndefined();
});

test("a verifier key is read back, and no other spelling of it", () => {
  const text = verifierKey(noteKey);
  expect(parseVerifierKey(text)).toEqual(noteKey);
  for (const wrong of [
    `${text}=`,
    text.replace(/\+[0-9a-f]{8}\+/, "+00000000+"),
    text.slice(0, -1),
    "",
    "a+b+c",
  ]) {
    expect(parseVerifierKey(wrong)).toBeUndefined();
  }
});
