import { expect, test } from "bun:test";
import { fuzzHandshakes } from "../fuzz/handshake.ts";

/** The bounded run; `bun test/fuzz/handshake.ts` goes on for longer. */
const MUTATIONS = Number(process.env.QF_FUZZ_MUTATIONS ?? 400);
const SEED = Number(process.env.QF_FUZZ_SEED ?? 20_261_120);

test("mutated handshakes crash nothing, leave nothing and let nobody in", async () => {
  const report = await fuzzHandshakes({ mutations: MUTATIONS, seed: SEED });
  expect(report.failures).toEqual([]);
  expect(report.grownMib).toBeLessThan(64);
}, 600_000);
