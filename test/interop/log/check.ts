/**
 * `make interop-log`: an export of the audit log, its checkpoints and its proofs, checked by Go's
 * golang.org/x/mod/sumdb: `note` opens the notes, `tlog` computes the tree. No code of ours is in it.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { type LogServer, startLogServer } from "../../support/log-server.ts";

const FOLDER = import.meta.dir;
const ENTRIES = 200;

async function run(command: readonly string[], cwd: string): Promise<{ status: number; said: string }> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe", timeout: 300_000 });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { status: await child.exited, said: (out + err).trim() };
}

test("Go's sumdb/note and tlog take an export, its checkpoints and its proofs as they are", async () => {
  const server = await startLogServer();
  try {
    const checker = join(server.folder, "logcheck");
    expect(await run(["go", "build", "-o", checker, "."], FOLDER)).toMatchObject({ status: 0 });
    for (let made = 0; made < ENTRIES; made += 20) {
      await server.grow(20);
      expect(await server.audit("checkpoint")).toMatchObject({ exitCode: 0 });
    }
    expect(await server.audit("export", "--out", "audit.jsonl")).toMatchObject({ exitCode: 0 });
    const key = await writeProofs(server);
    const good = await run([checker, key, "audit.jsonl", "proofs.json"], server.folder);
    expect(good.said).toMatch(/^ok \d+ entries, \d\d checkpoints/);
    expect(good.status).toBe(0);
    console.log(good.said);
    const bundle = await Bun.file(join(server.folder, "audit.jsonl")).text();
    server.file("changed.jsonl", bundle.replace("group 100 ", "group 999 "));
    expect(await run([checker, key, "changed.jsonl", "proofs.json"], server.folder)).toMatchObject({
      status: 1,
    });
  } finally {
    await server.management.close();
  }
}, 600_000);

/** Proofs of many events and sizes; and the log's verifier key. */
async function writeProofs(server: LogServer): Promise<string> {
  const { size, keys } = (await server.api("/api/events/audit/checkpoint")) as {
    size: number;
    keys: string[];
  };
  const inclusion = [];
  for (let seq = 1; seq <= size; seq += 7) {
    for (const of of [seq, Math.ceil((seq + size) / 2), size]) {
      inclusion.push(await server.api(`/api/events/audit/proof/inclusion?seq=${seq}&size=${of}`));
    }
  }
  const consistency = [];
  for (let from = 1; from <= size; from += 11) {
    consistency.push(await server.api(`/api/events/audit/proof/consistency?from=${from}&to=${size}`));
  }
  server.file("proofs.json", JSON.stringify({ inclusion, consistency }));
  return keys.at(-1) ?? "";
}
