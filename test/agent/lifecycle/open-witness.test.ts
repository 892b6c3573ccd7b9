import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openWitness } from "../../../src/agent/lifecycle/open-witness.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { signCheckpoint } from "../../../src/log/checkpoint.ts";
import { emptyRoot } from "../../../src/log/tree-hash.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const key = generateEd25519();
const origin = "qf.example.com/qufabric/d34hgk3f9s8d7f6g5h4j";
const deps = { clock: new FakeClock(), log: silentLog, sink: { record: async () => {} } };

test("what a machine has seen is there after a new start; everyone may see the newest, and nothing else", async () => {
  const directory = tempFolder();
  const paths = { witness: join(directory, "log.json"), publicLog: join(directory, "public.json") };
  const witness = await openWitness(paths, deps);
  expect(await witness.pin({ origin, key: key.publicKey })).toBe(true);
  const note = signCheckpoint({ origin, size: 3, root: emptyRoot() }, key);
  expect(await witness.take({ note, consistency: [] })).toBe(true);
  expect((await openWitness(paths, deps)).size).toBe(3);
  expect(statSync(paths.witness).mode & 0o777).toBe(0o600);
  expect(statSync(paths.publicLog).mode & 0o777).toBe(0o644);
  expect(JSON.parse(readFileSync(paths.publicLog, "utf8"))).toEqual({
    format: 1,
    log: { origin, key: key.publicKey },
    note,
  });
});

test("a damaged file is set aside by name", async () => {
  const directory = tempFolder();
  const paths = { witness: join(directory, "log.json"), publicLog: join(directory, "public.json") };
  writeFileSync(paths.witness, "{");
  expect((await openWitness(paths, deps)).size).toBe(0);
  expect(readdirSync(directory).filter((name) => name.includes(".damaged-"))).toHaveLength(1);
});
