import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRecordingStore, type RecordingStore } from "../../../src/management/recordings/store.ts";
import { openS3Server } from "../../support/s3-server.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret/example+key", region: "eu-test-1" };
const s3 = openS3Server(KEYS);
afterAll(() => s3.stop());

function credentials(change: Partial<typeof KEYS> = {}): string {
  const { accessKeyId, secretAccessKey } = { ...KEYS, ...change };
  const path = join(tempFolder(), "credentials");
  const lines = [`aws_access_key_id = ${accessKeyId}`, `aws_secret_access_key=${secretAccessKey}`];
  writeFileSync(path, `[default]\n${lines.join("\n")}\n`, { mode: 0o600 });
  return path;
}

const openS3 = (change: { where?: string; region?: string; credentialsFile?: string } = {}) =>
  openRecordingStore({
    where: "s3://evidence/qf/",
    endpoint: s3.endpoint,
    region: KEYS.region,
    credentialsFile: credentials(),
    ...change,
  });

const unavailable = { code: "ERR_UNAVAILABLE" };

describe.each<{ name: string; open: () => Promise<RecordingStore> }>([
  { name: "a folder", open: () => openRecordingStore({ where: join(tempFolder(), "made", "later") }) },
  { name: "a bucket", open: openS3 },
])("$name", ({ open }) => {
  test("keeps objects until they are removed", async () => {
    const store = await open();
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    await store.put("account/recording/00000000-a", bytes);
    await store.put("account/recording/00000001-b", Buffer.from("b"));
    expect(Buffer.from(await store.get("account/recording/00000000-a"))).toEqual(Buffer.from(bytes));
    await store.remove("account/recording/00000000-a");
    await store.remove("account/recording/00000000-a");
    expect(store.get("account/recording/00000000-a")).rejects.toMatchObject(unavailable);
    expect(Buffer.from(await store.get("account/recording/00000001-b")).toString()).toBe("b");
  });
});

test("a folder is ours alone, and leaves nothing of a recording that is gone", async () => {
  const where = tempFolder();
  const store = await openRecordingStore({ where });
  await store.put("account/recording/0-a", Buffer.from("a"));
  expect(statSync(join(where, "account/recording")).mode & 0o777).toBe(0o700);
  expect(statSync(join(where, "account/recording/0-a")).mode & 0o777).toBe(0o600);
  await store.remove("account/recording/0-a");
  expect(readdirSync(join(where, "account"))).toEqual([]);
});

test("a bucket has its objects below the prefix", async () => {
  const store = await openS3();
  await store.put("account/x", Buffer.from("x"));
  expect(s3.objects.has("/evidence/qf/account/x")).toBe(true);
});

test.each([
  { name: "another secret", change: { credentialsFile: () => credentials({ secretAccessKey: "other" }) } },
  { name: "another key", change: { credentialsFile: () => credentials({ accessKeyId: "AKIDOTHER" }) } },
  { name: "another region", change: { region: () => "auto" } },
])("a bucket takes nothing signed for $name", async ({ change }) => {
  const made = Object.fromEntries(Object.entries(change).map(([name, make]) => [name, make()]));
  const store = await openS3(made);
  expect(store.put("account/y", Buffer.from("y"))).rejects.toMatchObject(unavailable);
});

test("a store that is away is unavailable", async () => {
  const blocked = join(tempFolder(), "file");
  writeFileSync(blocked, "");
  const folder = await openRecordingStore({ where: blocked });
  expect(folder.put("account/x", Buffer.from("x"))).rejects.toMatchObject(unavailable);
  const bucket = await openS3();
  s3.failing = 403;
  await expect(bucket.put("account/x", Buffer.from("x"))).rejects.toMatchObject(unavailable);
  await expect(bucket.remove("account/x")).rejects.toMatchObject(unavailable);
  s3.failing = null;
});

test.each([
  { name: "another kind of address", options: { where: "https://bucket.example" } },
  { name: "a bucket that is none", options: { where: "s3://x" } },
  { name: "an endpoint beside a folder", options: { where: "/tmp/x", endpoint: "http://127.0.0.1:9" } },
  { name: "a region beside a folder", options: { where: "/tmp/x", region: "r" } },
])("$name is refused", ({ options }) => {
  expect(openRecordingStore(options)).rejects.toMatchObject({ code: "ERR_USAGE" });
});

test("a credentials file that has none, or is not there, is refused by name", async () => {
  const folder = tempFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "empty"), "[default]\n");
  expect(openS3({ credentialsFile: join(folder, "empty") })).rejects.toMatchObject({ code: "ERR_USAGE" });
  expect(openS3({ credentialsFile: join(folder, "none") })).rejects.toMatchObject({ code: "ERR_PERMISSION" });
});
