/** On PostgreSQL, where opening the database may make its tables. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import postgres from "postgres";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { initManagement } from "../../../src/management/init.ts";
import { startManagement } from "../../../src/management/serve.ts";
import { hasPostgres, testPostgres } from "../../support/postgres.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const codeOf = (cause: unknown): string => (isQfError(cause) ? cause.code : String(cause));

test.skipIf(!hasPostgres)(
  "init with a bad owner leaves the database empty, or says that there is an account",
  async () => {
    const databaseUrl = await (await testPostgres()).emptyDatabase();
    const options = {
      dataDir: join(tempFolder(), "management"),
      databaseUrl,
      ownerEmail: "olga@example.com",
    };
    const short = { ...options, ownerPassword: "1234567" };
    expect(await initManagement(short).catch(codeOf)).toBe("ERR_USAGE");
    const sql = postgres(databaseUrl, { max: 1 });
    const tables = await sql`SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`;
    expect([...tables]).toEqual([]);
    await sql.end();
    await initManagement({ ...options, ownerPassword: "correct horse" });
    expect(await initManagement(short).catch(codeOf)).toBe("ERR_ALREADY_INITIALISED");
  },
);

test.skipIf(!hasPostgres)("an empty database beside a master key is the wrong one", async () => {
  const postgresql = await testPostgres();
  const dataDir = join(tempFolder(), "management");
  const owner = { ownerEmail: "olga@example.com", ownerPassword: "correct horse" };
  await initManagement({ dataDir, databaseUrl: await postgresql.emptyDatabase(), ...owner });
  const databaseUrl = await postgresql.emptyDatabase();
  const served = startManagement({ dataDir, databaseUrl, listen: "127.0.0.1:0", log: silentLog });
  expect(await served.catch(codeOf)).toBe("ERR_STATE_DAMAGED");
  expect(await initManagement({ dataDir, databaseUrl, ...owner }).catch(codeOf)).toBe("ERR_STATE_DAMAGED");
  const sql = postgres(databaseUrl, { max: 1 });
  const tables = await sql`SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`;
  expect([...tables]).toEqual([]);
  await sql.end();
});
