import { expect, test } from "bun:test";
import { AgentEventBody } from "../../src/wire/audit-event.ts";
import { anId } from "../support/policy.ts";

const whose = {
  connectionId: anId("connection"),
  userId: null,
  sessionId: 0,
  recordingId: anId("recording"),
};
const digest = "A".repeat(43);
const end = { ...whose, type: "recording.end", status: "complete", why: null, chunks: 1, bytes: 1, digest };

test.each([
  { name: "a start", body: { ...whose, type: "recording.start", recipients: 0 }, taken: true },
  { name: "chunks", body: { ...whose, type: "recording.chunks", first: 0, digests: [digest] }, taken: true },
  { name: "no chunks", body: { ...whose, type: "recording.chunks", first: 0, digests: [] }, taken: false },
  { name: "a digest that is none", body: { ...end, digest: "x" }, taken: false },
  { name: "lines", body: { ...whose, type: "recording.unechoed", lines: 9, program: "sh" }, taken: true },
  { name: "an end", body: end, taken: true },
  { name: "an end for a reason that is none", body: { ...end, why: "bored" }, taken: false },
  { name: "an unknown field", body: { ...end, text: "secret" }, taken: false },
])("$name is an event or not", ({ body, taken }) => {
  expect(AgentEventBody.safeParse(body).success).toBe(taken);
});
