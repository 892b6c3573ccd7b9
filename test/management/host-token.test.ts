/** An API token made on the management host: whose it may be, and that it is on record. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { makeHostToken } from "../../src/management/host-token.ts";
import { startManagement } from "../../src/management/serve.ts";
import { ADA, OWNER, startTestManagement } from "../support/running-management.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isQfError(error) ? error.code : `no QfError: ${String(error)}`;
}

test("makeHostToken gives the first owner a token that opens the API, and records it", async () => {
  const dataDir = join(folder, "data");
  const first = await startTestManagement(dataDir);
  await first.addPerson(ADA);
  expect(await codeOf(makeHostToken({ dataDir, days: 1 }))).toBe("ERR_CONFLICT");
  await first.close();

  const made = await makeHostToken({ dataDir, days: 1 });
  expect(await codeOf(makeHostToken({ dataDir, days: 1, user: "nobody@example.com" }))).toBe("ERR_NOT_FOUND");
  const hers = await makeHostToken({ dataDir, days: 1, user: ADA.email });

  const again = await startManagement({ dataDir, listen: "127.0.0.1:0" });
  const call = async (token: string, path: string): Promise<Response> =>
    fetch(`${again.url}${path}`, { headers: { authorization: `Token ${token}` } });
  expect(await (await call(made.token, "/api/users/current")).json()).toMatchObject({ email: OWNER.email });
  expect((await call(hers.token, "/api/setup-keys")).status).toBe(403);
  const events = (await (await call(made.token, "/api/events/audit")).json()) as {
    meta: { name?: string };
  }[];
  expect(events.filter(({ meta }) => meta.name === "management host")).toHaveLength(2);
  await again.close();
});

test("makeHostToken refuses a folder without an account", async () => {
  expect(await codeOf(makeHostToken({ dataDir: join(folder, "nothing"), days: 1 }))).toBe(
    "ERR_NOT_INITIALISED",
  );
});
