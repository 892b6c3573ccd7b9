/**
 * Trust in a bundle, from keys and from checkpoints kept elsewhere.
 *
 * @module
 */
import type { BundleHeader } from "../wire/log-entry.ts";
import { type NoteKey, type ReadNote, readNote, signerOf } from "./checkpoint.ts";
import type { FindingCode, LogFinding } from "./finding.ts";
import { followHandovers } from "./key-handover.ts";

/** What a bundle's reader knows from other sources. */
export interface Anchors {
  /** Trusted keys, with their names. */
  readonly keys: readonly NoteKey[];
  /** Notes kept elsewhere. */
  readonly checkpoints: readonly string[];
}

/** A checkpoint to compare with the tree at that size. */
export interface Mark {
  readonly note: ReadNote;
  /** True: kept elsewhere. False: from the bundle. */
  readonly isOurs: boolean;
}

/** A bundle's claims about itself. */
export interface Claim {
  readonly header: BundleHeader;
  readonly note: ReadNote;
  readonly own: readonly NoteKey[];
}

export interface Trust {
  readonly findings: readonly LogFinding[];
  /** Whether anything beyond the bundle's own keys supports it. */
  readonly isAnchored: boolean;
  /** The smallest first. */
  readonly marks: readonly Mark[];
}

export function judgeTrust(anchors: Anchors, claim: Claim): Trust {
  const { header, note, own } = claim;
  const trusted = followed(
    anchors.keys.filter(({ name }) => name === header.origin),
    header,
  );
  const kept = anchors.checkpoints.map((text) => judgeCheckpoint(readNote(text), claim, trusted));
  const findings = kept.flatMap((one) => ("code" in one ? [one] : []));
  const marks: Mark[] = kept.flatMap((one) => ("code" in one ? [] : [{ note: one, isOurs: true }]));
  if (note.origin !== header.origin || signerOf(note, own) === undefined) {
    findings.push(found("checkpoint_unsigned", note.size, "no key of the bundle has signed its checkpoint"));
  }
  if (!own.every((key) => followed(own.slice(0, 1), header).some((one) => isSameKey(one, key)))) {
    findings.push(found("key_unknown", null, "a key of the bundle has no word of the key before it"));
  }
  const ofKeys = anchors.keys.length === 0 ? null : judgeKeys(claim, trusted);
  if (ofKeys !== null) findings.push(ofKeys);
  for (const text of header.checkpoints) {
    const mark = readNote(text);
    if (mark !== undefined && mark.origin === header.origin && signerOf(mark, own) !== undefined) {
      marks.push({ note: mark, isOurs: false });
    } else {
      findings.push(
        found("checkpoint_unsigned", null, "no key of the bundle has signed one of its checkpoints"),
      );
    }
  }
  const isAnchored = marks.some(({ isOurs }) => isOurs) || (anchors.keys.length > 0 && ofKeys === null);
  return { findings, isAnchored, marks: marks.sort((a, b) => a.note.size - b.note.size) };
}

/** These keys, and those to which they have handed over. */
function followed(keys: readonly NoteKey[], { origin, handovers = [] }: BundleHeader): NoteKey[] {
  return keys.flatMap(({ name, publicKey }) =>
    followHandovers({ origin, key: publicKey }, handovers).map((key) => ({ name, publicKey: key })),
  );
}

function isSameKey(a: NoteKey, b: NoteKey): boolean {
  return a.name === b.name && a.publicKey === b.publicKey;
}

function judgeKeys({ header, note }: Claim, trusted: readonly NoteKey[]): LogFinding | null {
  if (trusted.length === 0) return found("other_log", null, `the bundle is of another log, ${header.origin}`);
  if (signerOf(note, trusted) !== undefined) return null;
  return found("key_unknown", null, "the bundle is signed by another key than the one that is known");
}

/** The checkpoint, if the bundle can be compared with it. */
function judgeCheckpoint(
  one: ReadNote | undefined,
  { header, note, own }: Claim,
  trusted: readonly NoteKey[],
): ReadNote | LogFinding {
  if (one === undefined)
    return found("not_comparable", null, "the checkpoint to compare with cannot be read");
  if (one.origin !== header.origin) {
    return found("other_log", null, `the checkpoint is of another log, ${one.origin}`);
  }
  const signer = signerOf(one, trusted.length > 0 ? trusted : own);
  if (signer === undefined) {
    return found("key_unknown", null, "the checkpoint is signed by a key that the bundle does not have");
  }
  if (signerOf(note, followed([signer], header)) === undefined) {
    return found("key_unknown", null, "the bundle is signed by another key than the checkpoint");
  }
  if (one.size > note.size) {
    const sizes = `the checkpoint has ${one.size} entries, the log ${note.size}`;
    return found("rolled_back", note.size, `the log was cut back: ${sizes}`);
  }
  if (one.size < header.first - 1) {
    const sentence = "the bundle begins behind the checkpoint: export from the first entry to compare";
    return found("not_comparable", one.size, sentence);
  }
  return one;
}

function found(code: FindingCode, seq: number | null, sentence: string): LogFinding {
  return { code, seq, sentence };
}
