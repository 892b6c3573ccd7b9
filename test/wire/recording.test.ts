import { expect, test } from "bun:test";
import {
  AgeRecipient,
  RECORDING_CHUNK_BYTES_MAX,
  RECORDING_CHUNKS_MAX,
  RecordingUpload,
} from "../../src/wire/recording.ts";
import { anId } from "../support/policy.ts";
import { aRecordingHead } from "../support/recording.ts";

const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

test.each([
  { name: "a recipient", text: RECIPIENT, taken: true },
  { name: "one in capitals", text: RECIPIENT.toUpperCase(), taken: false },
  { name: "an identity", text: `AGE-SECRET-KEY-1${"Q".repeat(58)}`, taken: false },
  { name: "one that is cut short", text: RECIPIENT.slice(0, -1), taken: false },
  { name: "an SSH key", text: "ssh-ed25519 AAAA", taken: false },
])("$name is a recipient or not", ({ text, taken }) => {
  expect(AgeRecipient.safeParse(text).success).toBe(taken);
});

test.each([
  { name: "an upload", change: {}, taken: true },
  { name: "more chunks than fit", change: { sizes: Array(RECORDING_CHUNKS_MAX + 1).fill(1) }, taken: false },
  { name: "a chunk that is too large", change: { sizes: [RECORDING_CHUNK_BYTES_MAX + 1] }, taken: false },
  { name: "an empty chunk", change: { sizes: [0] }, taken: false },
  { name: "an unknown field", change: { force: true }, taken: false },
  { name: "an end of no known kind", change: { end: { status: "lost", why: null } }, taken: false },
])("$name is taken or not", ({ change, taken }) => {
  const upload = { peerId: anId("web1"), recordingId: anId("recording"), first: 0, sizes: [1] };
  const given = { ...upload, head: aRecordingHead(), ...change };
  expect(RecordingUpload.safeParse(given).success).toBe(taken);
});
