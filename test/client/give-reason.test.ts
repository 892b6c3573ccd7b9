import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientSession } from "../../src/client/client-session.ts";
import { askReason, givenReason } from "../../src/client/give-reason.ts";
import { keepReason } from "../../src/client/kept-reason.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { tempFolder } from "../support/temp-folder.ts";

function aSession() {
  const clock = new FakeClock(1_800_000_000_000);
  const path = tempFolder();
  const session = { folder: { path }, clock } as unknown as ClientSession;
  return { session, path, clock };
}

test("what is given counts before the environment, and that before what is kept", async () => {
  const { session, path } = aSession();
  const environment = { QF_REASON: "from the environment" };
  await keepReason(path, { reason: "kept here", untilSeconds: 1_800_000_060 });
  expect(await givenReason(session, { reason: "  from the line ", environment })).toBe("from the line");
  expect(await givenReason(session, { environment })).toBe("from the environment");
  expect(await givenReason(session, { environment: {} })).toBe("kept here");
  expect(await givenReason(session, { environment: { QF_REASON: "" } })).toBe("kept here");
});

test("what was kept and is over is no reason", async () => {
  const { session, path } = aSession();
  await keepReason(path, { reason: "kept here", untilSeconds: 1_800_000_000 });
  expect(await givenReason(session, { environment: {} })).toBeUndefined();
});

test("what is kept and damaged is no reason, and no failure", async () => {
  const { session, path } = aSession();
  writeFileSync(join(path, "reason.json"), "{");
  expect(await givenReason(session, { environment: {} })).toBeUndefined();
});

test.each([
  { name: "empty", reason: "" },
  { name: "white space", reason: "   " },
  { name: "2,000 characters", reason: "a".repeat(2_000) },
  { name: "a control character", reason: "a\u001b[2J" },
])("--reason with $name is refused, whatever else there is", async ({ reason }) => {
  const { session } = aSession();
  const given = givenReason(session, { reason, environment: { QF_REASON: "a good one" } });
  expect(given).rejects.toMatchObject({ code: "ERR_USAGE" });
});

test("QF_REASON that is none is refused by its name", async () => {
  const { session } = aSession();
  expect(givenReason(session, { environment: { QF_REASON: "  " } })).rejects.toThrow("QF_REASON must be");
});

function aTerminal(answers: string[], canAsk = true) {
  const asked: string[] = [];
  const said: string[] = [];
  const terminal = {
    say: (line: string) => void said.push(line),
    canAsk: () => canAsk,
    ask: async (prompt: string) => {
      asked.push(prompt);
      const answer = answers.shift();
      if (answer === undefined) throw new Error("the terminal is gone");
      return answer;
    },
  };
  return { terminal, asked, said };
}

const about = { target: "web1", localUser: "deploy" };

test("the person is asked, and asked again for what is no reason", async () => {
  const { terminal, asked, said } = aTerminal(["", "why not"]);
  expect(await askReason({ terminal }, about)).toBe("why not");
  expect(asked).toEqual(Array(2).fill("Reason for access to deploy@web1: "));
  expect(said).toHaveLength(1);
});

test("three answers that are none end it", async () => {
  const { terminal, asked } = aTerminal(["", " ", "ab", "too late"]);
  expect(askReason({ terminal }, about)).rejects.toMatchObject({ code: "ERR_ACCESS_DENIED" });
  await Bun.sleep(0);
  expect(asked.length).toBeLessThanOrEqual(3);
});

test("a terminal that goes away is no reason", () => {
  const { terminal } = aTerminal([]);
  expect(askReason({ terminal }, about)).rejects.toMatchObject({ code: "ERR_ACCESS_DENIED" });
});

test("nobody is asked where nobody is", async () => {
  const { terminal, asked } = aTerminal(["why not"], false);
  expect(await askReason({ terminal }, { target: "web1", localUser: "" })).toBeUndefined();
  expect(asked).toEqual([]);
});
