/**
 * `decide` with 1,000 rules and 10,000 users, worst case: a denial that every rule gets as far as
 * possible toward, with its full trace.
 */
import { decide } from "../../src/policy/decide/decide.ts";
import { prepareSnapshot } from "../../src/policy/decide/snapshot.ts";
import { aMap, anId, aPeer, aRequest, aRule, aUser } from "../support/policy.ts";

export interface DecideFigures {
  readonly medianUs: number;
  readonly minUs: number;
  readonly p99Us: number;
}

export function benchDecide(): DecideFigures {
  const groups = Array.from({ length: 200 }, (_, i) => `group${i}`);
  const users = Array.from({ length: 10_000 }, (_, i) =>
    aUser(
      `user${i}`,
      [0, 7, 13, 29].map((k) => `group${(i + k) % 200}`),
    ),
  );
  const alice = aUser("alice", groups.slice(0, 20));
  const rules = Array.from({ length: 1_000 }, (_, i) => {
    // Alice and her laptop meet every rule; only the OS user is missing in each.
    const named = [`group${(i * 7 + 20) % 200}`, `group${(i * 11 + 40) % 200}`, `group${i % 20}`];
    return aRule(`rule${i}`, named, ["web", "postgres", "backup"]);
  });
  const laptop = aPeer("laptop", groups.slice(0, 20), { ownerUserId: alice.id });
  const snapshot = prepareSnapshot(aMap({ users: [...users, alice], peers: [laptop], rules }));
  const request = aRequest({ userId: anId("alice"), localUser: "deploy" });
  for (let i = 0; i < 20_000; i++) decide(request, snapshot);
  const samples: number[] = [];
  for (let i = 0; i < 200; i++) {
    const start = performance.now();
    for (let k = 0; k < 100; k++) {
      const decision = decide(request, snapshot);
      if (decision.kind !== "deny" || decision.trace.outcomes.length !== 1_000)
        throw new Error("not the worst case");
    }
    samples.push(((performance.now() - start) * 1_000) / 100);
  }
  samples.sort((a, b) => a - b);
  return { medianUs: samples[100] ?? 0, minUs: samples[0] ?? 0, p99Us: samples[198] ?? 0 };
}

if (import.meta.main) console.log(benchDecide());
