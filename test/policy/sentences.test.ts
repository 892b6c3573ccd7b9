import { expect, test } from "bun:test";
import { denialLine, sentenceOf, UNENCRYPTED_HINT, UNPROVEN_SENTENCE } from "../../src/policy/sentences.ts";
import { REASON_CODES } from "../../src/wire/reason.ts";

test.each(REASON_CODES.map((code) => [code]))("%s has one sentence and one next step, in form", (code) => {
  const { sentence, hint } = sentenceOf(code);
  // A sentence begins large (but "root", a name), a hint small; neither ends with a full stop.
  expect(sentence).toMatch(/^(?:[A-Z]|root )/);
  expect(hint).toMatch(/^[a-z0-9]/);
  for (const text of [sentence, hint]) {
    expect(text).not.toMatch(/\.$|[\r\n\t]|[^\x20-\x7e]/);
    expect(text.length).toBeLessThan(160);
  }
});

test.each(["certificate_invalid", "certificate_replayed", "token_invalid"] as const)(
  "%s tells a stranger no more than that it failed",
  (code) => {
    expect(sentenceOf(code).sentence).toBe(UNPROVEN_SENTENCE);
  },
);

test("a denial may give another next step", () => {
  const { sentence } = sentenceOf("recording_unavailable");
  expect(denialLine("recording_unavailable", null, UNENCRYPTED_HINT)).toBe(
    `${sentence} (${UNENCRYPTED_HINT})`,
  );
  expect(UNENCRYPTED_HINT).toContain("recording_recipients");
});

test("a denial is one line, with its receipt where it was stored", () => {
  const { sentence, hint } = sentenceOf("posture_failed");
  expect(denialLine("posture_failed", null)).toBe(`${sentence} (${hint})`);
  expect(denialLine("posture_failed", "r".repeat(20))).toBe(
    `${sentence} (${hint}; receipt ${"r".repeat(20)})`,
  );
});
