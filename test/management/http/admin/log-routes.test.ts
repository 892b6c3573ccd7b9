import { beforeEach, expect, test } from "bun:test";
import { openCheckpoint, parseVerifierKey } from "../../../../src/log/checkpoint.ts";
import { CompactRange } from "../../../../src/log/compact-range.ts";
import { isConsistent, isIncluded } from "../../../../src/log/proofs.ts";
import { leafHash } from "../../../../src/log/tree-hash.ts";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
  for (const name of ["a", "b", "c", "d", "e"]) await api.aGroup(name);
});

const get = async (path: string) => {
  const { status, body } = await api.call("GET", `/api/events/audit/${path}`);
  expect(status).toBe(200);
  return body;
};
const bytes = (hashes: readonly string[]) => hashes.map((hash) => Buffer.from(hash, "base64"));

test("a checkpoint is a note of the keys beside it", async () => {
  const { note, origin, size, root, keys } = await get("checkpoint");
  const opened = openCheckpoint(note, keys.map(parseVerifierKey));
  expect(opened).toMatchObject({ origin, size });
  expect(Buffer.from(opened?.root ?? []).toString("base64")).toBe(root);
  expect(size).toBe((await api.activities(0)).length);
});

test("a proof of inclusion and one of consistency hold for the checkpoints around them", async () => {
  const before = await get("checkpoint");
  await api.aGroup("f");
  const after = await get("checkpoint");
  const tree = ({ size, root }: { size: number; root: string }) => ({
    size,
    root: Buffer.from(root, "base64"),
  });
  const { leaf, proof } = await get(`proof/inclusion?seq=2&size=${after.size}`);
  expect(isIncluded(Buffer.from(leaf, "base64"), 1, bytes(proof), tree(after))).toBe(true);
  const { proof: growth } = await get(`proof/consistency?from=${before.size}&to=${after.size}`);
  expect(isConsistent(tree(before), tree(after), bytes(growth))).toBe(true);
});

test.each([
  "proof/inclusion?seq=99&size=3",
  "proof/inclusion?seq=1&size=9999",
  "proof/consistency?from=9&to=3",
  "proof/consistency?from=1&to=9999",
])("%s is refused", async (path) => {
  await api.call("GET", "/api/events/audit/checkpoint");
  expect((await api.call("GET", `/api/events/audit/${path}`)).status).toBe(400);
});

test("the lines of the entries make the tree of the bundle's header", async () => {
  const header = await get("bundle");
  const lines = [...(await get("entries?limit=3")), ...(await get("entries?after_seq=3"))];
  const range = new CompactRange();
  for (const { line } of lines) range.append(leafHash(line));
  expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: header.last }, (_, i) => i + 1));
  const root = openCheckpoint(header.checkpoint, header.keys.map(parseVerifierKey))?.root ?? [];
  expect(Buffer.from(range.root())).toEqual(Buffer.from(root));
});

test("a bundle of some time has the entries of that time, and hashes for what is around them", async () => {
  const { clock } = api.management;
  clock.advanceMs(10_000);
  const since = new Date(clock.nowMs()).toISOString();
  await api.aGroup("g");
  await api.aGroup("h");
  clock.advanceMs(10_000);
  const until = new Date(clock.nowMs()).toISOString();
  await api.aGroup("i");
  const header = await get(`bundle?since=${since}&until=${until}`);
  expect([header.first, header.last]).toEqual([7, 8]);
  expect(header.before.length).toBeGreaterThan(0);
  expect((await get(`bundle?since=2100-01-01T00:00:00Z`)).last).toBe(0);
});
