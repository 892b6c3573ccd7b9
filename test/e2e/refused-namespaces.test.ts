/**
 * Where the kernel makes no network namespaces the two hosts behind NATs are passed over aloud; in CI they
 * fail.
 */
import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { isRoot } from "../support/os-accounts.ts";

const ROOT = resolve(import.meta.dir, "../..");

/** Runs them as root without the right to make namespaces. */
async function runWithoutNamespaces(environment: Record<string, string>) {
  const { CI: _, ...env } = process.env;
  const argv = [process.execPath, "test", "--timeout", "30000", "./test/e2e/nat.test.ts"];
  const child = Bun.spawn(["setpriv", "--bounding-set", "-sys_admin", ...argv], {
    cwd: ROOT,
    env: { ...env, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 50_000,
  });
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, said: said.join("") };
}

test.skipIf(!isRoot || Bun.which("setpriv") === null)(
  "a kernel that refuses namespaces is said to, and fails the tests in CI only",
  async () => {
    const here = await runWithoutNamespaces({});
    expect(here.said).toContain("skipped: no network namespaces with NAT on this machine\n");
    expect(here.said).toMatch(/^ *0 fail$/m);
    expect(here.said).toMatch(/^ *[1-9]\d* skip$/m);
    expect(here.exitCode).toBe(0);
    const inCi = await runWithoutNamespaces({ CI: "true" });
    expect(inCi.said).toMatch(/^ *[1-9]\d* fail$/m);
    expect(inCi.said).not.toMatch(/^ *\d+ skip$/m);
    expect(inCi.exitCode).not.toBe(0);
  },
  60_000,
);
