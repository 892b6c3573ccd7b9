/**
 * Checkpoints: a C2SP `tlog-checkpoint` in a C2SP `signed-note`, in a form that Go's `sumdb/note` accepts.
 *
 * The text is origin, size and root, a line each. The origin is also the key's name. Notes are untrusted:
 * `openCheckpoint` accepts only the exact form in which ours are written.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../base/ed25519.ts";
import { HASH_BYTES } from "./tree-hash.ts";

/** Longest note accepted. */
export const NOTE_BYTES_MAX = 4096;
/** Signatures on one note: the log's, one of a key before or after it, and witnesses'. */
const SIGNATURES_MAX = 16;
/** signed-note: the type of an Ed25519 signature. */
const ED25519 = 0x01;

/** A key that signs notes: the name and the raw public key, base64url. */
export interface NoteKey {
  readonly name: string;
  readonly publicKey: string;
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** The origin of an account's log. */
export function logOrigin(managementOrigin: string, accountId: string): string {
  return `${new URL(managementOrigin).host}/qufabric/${accountId}`;
}

/** The text that is signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
}

/** A note with one signature, by a key named as the checkpoint's origin. */
export function signCheckpoint(checkpoint: Checkpoint, key: Ed25519Key): string {
  const text = checkpointText(checkpoint);
  const signature = Buffer.from(signEd25519(key, Buffer.from(text)), "base64url");
  const noteKey = { name: checkpoint.origin, publicKey: key.publicKey };
  return noteOf(checkpoint, { id: keyId(noteKey), signature });
}

/** A checkpoint's note with an existing signature. */
export function noteOf(
  checkpoint: Checkpoint,
  { id, signature }: { readonly id: Uint8Array; readonly signature: Uint8Array },
): string {
  const line = Buffer.concat([id, signature]).toString("base64");
  return `${checkpointText(checkpoint)}\n\u2014 ${checkpoint.origin} ${line}\n`;
}

/** signed-note: the first 4 bytes of SHA-256 over name, newline, type and key. */
export function keyId({ name, publicKey }: NoteKey): Buffer {
  const raw = Buffer.from(publicKey, "base64url");
  return createHash("sha256")
    .update(`${name}\n`)
    .update(Uint8Array.of(ED25519))
    .update(raw)
    .digest()
    .subarray(0, 4);
}

/** `NAME+ID+KEY`, as Go's `note.NewVerifier` takes it. */
export function verifierKey(key: NoteKey): string {
  const raw = Buffer.concat([Uint8Array.of(ED25519), Buffer.from(key.publicKey, "base64url")]);
  return `${key.name}+${keyId(key).toString("hex")}+${raw.toString("base64")}`;
}

/** The key of `text`. Undefined for anything that is not exactly what `verifierKey` writes. */
export function parseVerifierKey(text: string): NoteKey | undefined {
  const match = /^([^\s+]{1,512})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(text);
  const [, name, , encoded] = match ?? [];
  if (name === undefined || encoded === undefined) return undefined;
  const raw = Buffer.from(encoded, "base64");
  if (raw.length !== 33 || raw[0] !== ED25519) return undefined;
  const key = { name, publicKey: raw.subarray(1).toString("base64url") };
  return verifierKey(key) === text ? key : undefined;
}

/** A parsed note. Nothing in it is verified. */
export interface ReadNote extends Checkpoint {
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly id: Buffer; readonly bytes: Buffer }[];
}

/** Undefined for anything that is not a checkpoint in a signed note. */
export function readNote(note: string): ReadNote | undefined {
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX) return undefined;
  const split = note.indexOf("\n\n");
  const text = note.slice(0, split + 1);
  const match = /^([^\s+]{1,512})\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/u.exec(text);
  const [, origin, size, root] = match ?? [];
  if (origin === undefined || size === undefined || root === undefined) return undefined;
  const signatures = readSignatures(note.slice(split + 2));
  const bytes = Buffer.from(root, "base64");
  const isExact = bytes.length === HASH_BYTES && bytes.toString("base64") === root;
  if (signatures === undefined || !isExact || !Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), root: bytes, text, signatures };
}

function readSignatures(lines: string): ReadNote["signatures"] | undefined {
  if (!lines.endsWith("\n")) return undefined;
  const signatures = [];
  for (const line of lines.slice(0, -1).split("\n")) {
    const [, name, encoded] = /^\u2014 ([^\s+]{1,512}) ([A-Za-z0-9+/]{8,2048}={0,2})$/u.exec(line) ?? [];
    if (name === undefined || encoded === undefined) return undefined;
    const bytes = Buffer.from(encoded, "base64");
    if (bytes.length < 5 || bytes.toString("base64") !== encoded) return undefined;
    signatures.push({ name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4) });
  }
  return signatures.length > SIGNATURES_MAX ? undefined : signatures;
}

/** The key among `keys` whose signature the note has. Undefined: none, or the note has another origin. */
export function signerOf<K extends NoteKey>(note: ReadNote, keys: readonly K[]): K | undefined {
  return keys.find((key) => {
    if (key.name !== note.origin) return false;
    const id = keyId(key);
    const found = note.signatures.find((one) => one.name === key.name && one.id.equals(id));
    if (found === undefined) return false;
    return verifyEd25519(key.publicKey, Buffer.from(note.text), found.bytes.toString("base64url"));
  });
}

/** The checkpoint in `note` if one of `keys` has signed it. */
export function openCheckpoint(note: string, keys: readonly NoteKey[]): ReadNote | undefined {
  const read = readNote(note);
  return read !== undefined && signerOf(read, keys) !== undefined ? read : undefined;
}
