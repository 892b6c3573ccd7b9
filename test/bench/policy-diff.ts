/**
 * The difference of a policy over 10,000 people and 10,000 machines: what one changed rule costs, what one
 * over everybody and everything does, what replacing every rule does, and what a requirement of every machine
 * does.
 */
import { differenceOf } from "../../src/policy/code/difference.ts";
import type { MapRule } from "../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../support/policy.ts";
import type { Part } from "./figures.ts";

const COUNT = 10_000;
const USER_GROUPS = 200;
const MACHINE_GROUPS = 100;
const RULES = 500;
const RUNS = 5;
const NOW = 1_795_000_000;

/** Spread numbers, the same in every run. */
function spread(i: number, k: number, max: number): number {
  return (Math.imul(i + 1, 2_654_435_761 + 2 * k) >>> 8) % max;
}

function account() {
  const users = Array.from({ length: COUNT }, (_, i) =>
    aUser(`u${i}`, ["all", ...[0, 1, 2].map((k) => `ug${spread(i, k, USER_GROUPS)}`)]),
  );
  const devices = users.map((user, i) => ({
    ...aPeer(`d${i}`, ["all"], { ownerUserId: user.id }),
    sshEnabled: false,
  }));
  const machines = Array.from({ length: COUNT }, (_, i) => ({
    ...aPeer(`m${i}`, ["all", ...[3, 4].map((k) => `mg${spread(i, k, MACHINE_GROUPS)}`)], {
      kind: "machine",
    }),
    sshEnabled: true,
  }));
  const rules = Array.from({ length: RULES }, (_, i) =>
    aRule(`r${i}`, [`ug${spread(i, 5, USER_GROUPS)}`], ["deploy", `user${spread(i, 6, 20)}`], {
      destinations: [anId(`mg${spread(i, 7, MACHINE_GROUPS)}`)],
    }),
  );
  return { users, peers: [...devices, ...machines], rules };
}

export const policyDiffPart: Part = {
  name: "policy-diff",
  async run({ add }) {
    const { users, peers, rules } = account();
    const { settings } = aMap({});
    const everyone = aRule("everyone", ["all"], ["guest"], { destinations: [anId("all")] });
    const changed = rules.map((rule, i) => (i === 7 ? withRoot(rule) : rule));
    const require = { record: "required", reason: true, approval: true, reauthWithinSeconds: 60 } as const;
    const bound = peers.map((peer) => ({ ...peer, require }));
    const rows: [what: string, after: readonly MapRule[], peersAfter?: typeof bound][] = [
      ["one of 500 rules changed", changed],
      ["a rule for everybody everywhere added", [...rules, everyone]],
      ["every rule taken away", []],
      ["recording, reason, approval and sign-in required everywhere", rules, bound],
    ];
    for (const [what, after, peersAfter = peers] of rows) {
      const samples: number[] = [];
      let pairs = 0;
      for (let run = 0; run < RUNS; run++) {
        const start = performance.now();
        const input = { users, peers, peersAfter, settings, nowSeconds: NOW };
        const blocks = differenceOf({ ...input, before: rules, after });
        samples.push(performance.now() - start);
        pairs = blocks.reduce((sum, block) => sum + block.users.length * block.machines.length, 0);
      }
      if (pairs === 0) throw new Error("no difference was found");
      const medianMs = samples.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
      add({
        what: `policy difference, 10,000 people × 10,000 machines, ${what}`,
        ours: `${medianMs.toFixed(0)} ms (${pairs.toLocaleString("en")} pairs)`,
        reach: "<= 2 s",
        figures: { medianMs, pairs },
      });
    }
  },
};

function withRoot(rule: MapRule): MapRule {
  const authorizedGroups = Object.fromEntries(
    Object.keys(rule.authorizedGroups).map((group) => [group, ["root"]]),
  );
  return { ...rule, authorizedGroups };
}
