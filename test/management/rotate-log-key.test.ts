import { expect, test } from "bun:test";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { isHandover } from "../../src/log/key-handover.ts";
import { openMasterKey } from "../../src/management/ca/master-key.ts";
import { openStore } from "../../src/management/db/store.ts";
import { defaultMasterKeyFile, initManagement } from "../../src/management/init.ts";
import { createAccountLogs } from "../../src/management/log/account-logs.ts";
import { rotateLogKeys } from "../../src/management/rotate-log-key.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { tempFolder } from "../support/temp-folder.ts";

const clock = new FakeClock();
const owner = { ownerEmail: "olga@example.com", ownerPassword: "correct horse" };
const codeOf = (cause: unknown): string => (isQfError(cause) ? cause.code : String(cause));

async function withLogs<T>(
  dataDir: string,
  use: (logs: ReturnType<typeof createAccountLogs>) => Promise<T>,
): Promise<T> {
  const store = openStore({ dataDir, clock, log: silentLog, create: false });
  const masterKey = await openMasterKey(defaultMasterKeyFile(dataDir));
  try {
    return await use(
      createAccountLogs({ store, clock, log: silentLog, origin: "https://qf.example.com", masterKey }),
    );
  } finally {
    await store.close();
  }
}

test("the key changes by the word of both, in the same second too, and signs from then on", async () => {
  const dataDir = join(tempFolder(), "management");
  const { accountId } = await initManagement({ dataDir, clock, ...owner });
  expect(await rotateLogKeys({ dataDir, clock }).catch(codeOf)).toBe("ERR_NOT_INITIALISED"); // No log yet.
  const before = await withLogs(dataDir, async (logs) => {
    const { size } = await logs.checkpoint(accountId);
    return { size, keys: await logs.keys(accountId) };
  });
  const [first] = await rotateLogKeys({ dataDir, clock });
  const [second] = await rotateLogKeys({ dataDir, clock });
  await withLogs(dataDir, async (logs) => {
    const { size } = await logs.checkpoint(accountId);
    const served = await logs.identity(accountId);
    const keys = (await logs.keys(accountId)).map(({ publicKey }) => publicKey);
    expect(size).toBe(before.size + 2);
    expect(keys).toEqual([before.keys[0]?.publicKey, first?.key, second?.key] as string[]);
    expect(served?.key).toBe(second?.key as string);
    expect(served?.handovers?.map((one) => isHandover(served.origin, one))).toEqual([true, true]);
  });
});

test("a folder that a server holds is left alone", async () => {
  const dataDir = join(tempFolder(), "management");
  await initManagement({ dataDir, clock, ...owner });
  const store = openStore({ dataDir, clock, log: silentLog, create: false });
  expect(await rotateLogKeys({ dataDir, clock }).catch(codeOf)).toBe("ERR_CONFLICT");
  await store.close();
});
