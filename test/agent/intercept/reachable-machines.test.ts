import { expect, test } from "bun:test";
import { followReachable, type ReachableMachine } from "../../../src/agent/intercept/reachable-machines.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { QfError } from "../../../src/base/errors.ts";
import type { Asker } from "../../../src/client/target.ts";
import type { NamesRequest, NamesResponse } from "../../../src/wire/client-api.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { keepingLog } from "../../support/kernel-context.ts";
import { anId } from "../../support/policy.ts";

const WEB1 = { name: "web1", address: "100.64.0.2" };
const WEB2 = { name: "web2", address: "100.64.0.3" };

function open() {
  const asked: NamesRequest[] = [];
  const answers: (NamesResponse | QfError)[] = [];
  const told: (readonly ReachableMachine[])[] = [];
  const { log, lines } = keepingLog();
  const asker: Asker = {
    clock: new FakeClock(),
    deviceKey: generateEd25519(),
    scope: { accountId: anId("account"), origin: "https://qf.example.com" },
    devicePeerId: anId("bastion"),
    api: {
      challenge: async () => ({ challenge: "c".repeat(43), expiresAtSeconds: 2 ** 31 }),
      target: async () => Promise.reject(new Error("not asked")),
      names: async (request) => {
        asked.push(request);
        const answer = answers.shift();
        if (answer === undefined || answer instanceof QfError) throw answer;
        return answer;
      },
    },
  };
  const machines = followReachable({ asker, log, onChange: (all) => told.push(all) });
  return { machines, asked, answers, told, lines };
}

const names = (machines?: ReachableMachine[]): NamesResponse => ({
  domain: "qf.internal",
  names: [],
  ...(machines === undefined ? {} : { machines }),
});

test("each list that is new is told once, and stays while management is away", async () => {
  const { machines, answers, told, asked, lines } = open();
  answers.push(
    names([WEB1]),
    names([WEB1]),
    new QfError("ERR_UNAVAILABLE", "away"),
    names([WEB1, WEB2]),
    names([]),
  );
  for (let i = 0; i < 3; i++) await machines.refresh();
  expect(machines.all()).toEqual([WEB1]);
  expect(lines.map(({ level }) => level)).toEqual(["warn"]);
  for (let i = 0; i < 2; i++) await machines.refresh();
  expect(told).toEqual([[WEB1], [WEB1, WEB2], []]);
  expect(asked.every(({ addresses }) => addresses === "yes")).toBe(true);
  machines.close();
});

test("a management that does not say is one that opens nothing", async () => {
  const { machines, answers, told } = open();
  answers.push(names());
  await machines.refresh();
  expect([machines.all(), told]).toEqual([[], []]);
  machines.close();
});

test("what is asked at once is asked once, and nothing is told after the end", async () => {
  const { machines, answers, told, asked } = open();
  answers.push(names([WEB1]));
  const both = [machines.refresh(), machines.refresh()];
  machines.close();
  await Promise.all(both);
  expect([asked.length, told.length]).toEqual([1, 0]);
});
