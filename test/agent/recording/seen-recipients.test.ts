import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SeenRecipients } from "../../../src/agent/recording/seen-recipients.ts";
import { nowSeconds } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const WEEK_MS = 7 * 86_400_000;
const [ONE, TWO] = ["2", "3"].map((letter) => `age1${letter.repeat(58)}`) as [string, string];

test("other recipients than before are told of for a week, across starts", () => {
  const directory = tempFolder();
  const clock = new FakeClock();
  const seen = () => new SeenRecipients(directory, { clock, log: silentLog });
  expect(seen().otherSinceSeconds([ONE, TWO])).toBeNull();
  expect(seen().otherSinceSeconds([TWO, ONE])).toBeNull();
  const since = nowSeconds(clock);
  expect(seen().otherSinceSeconds([ONE])).toBe(since);
  clock.advanceMs(WEEK_MS - 1_000);
  expect(seen().otherSinceSeconds([ONE])).toBe(since);
  clock.advanceMs(1_000);
  expect(seen().otherSinceSeconds([ONE])).toBeNull();
  // That nothing is encrypted any more is a change as well.
  expect(seen().otherSinceSeconds([])).toBe(nowSeconds(clock));
});

test("a file that cannot be read is written anew, and one that cannot be written ends nothing", () => {
  const directory = tempFolder();
  const parts = { clock: new FakeClock(), log: silentLog };
  writeFileSync(join(directory, "recipients.json"), "{");
  const seen = new SeenRecipients(directory, parts);
  expect(seen.otherSinceSeconds([ONE])).toBeNull();
  expect(seen.otherSinceSeconds([TWO])).not.toBeNull();
  expect(new SeenRecipients(join(directory, "none"), parts).otherSinceSeconds([ONE])).toBeNull();
});
