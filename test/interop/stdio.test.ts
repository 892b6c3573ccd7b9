/** `qf agent ssh --stdio` under a stock ssh: one connection on stdin and stdout, served by the agent. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { isRoot } from "../support/os-accounts.ts";
import { openStockMachine, type StockMachine } from "../support/stock-machine.ts";

describe.skipIf(!isRoot)("qf agent ssh --stdio", () => {
  let machine: StockMachine;
  let proxy = "";

  beforeAll(async () => {
    machine = await openStockMachine();
    proxy = `${machine.lab.executable} agent ssh --stdio --state-dir ${machine.agent.stateDir}`;
  }, 60_000);

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });

  function ssh(command: string) {
    const target = `${machine.account.name}@here`;
    return machine.run(["ssh", ...machine.stockOptions, "-o", `ProxyCommand=${proxy}`, target, command]);
  }

  test("a command runs as the local user, with output, error and status", async () => {
    const result = await ssh("id -un; echo err >&2; exit 7");
    expect(result).toMatchObject({ stdout: `${machine.account.name}\n`, stderr: "err\n", exitCode: 7 });
  });

  test("ten megabytes come through whole", async () => {
    const result = await ssh("head -c 10000000 /dev/zero | tr '\\0' x");
    expect(result.stdout.length).toBe(10_000_000);
    expect(result.exitCode).toBe(0);
  });

  test("evidence says how it came in", async () => {
    await ssh("true");
    const opened = await machine.lab.until("the event", async () =>
      (await machine.lab.events()).find((event) => JSON.stringify(event).includes('"stdio"')),
    );
    expect(opened).toBeDefined();
  });

  test("nobody but root and the agent's own user may", async () => {
    const { uid, gid } = machine.ids;
    // Its state folder is on the way to what is for everybody.
    chmodSync(machine.lab.root, 0o711);
    const child = Bun.spawnSync(
      ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...proxy.split(" ")],
      { env: { PATH: "/usr/bin:/bin", HOME: machine.account.home }, stdin: "ignore" },
    );
    expect(child.stderr.toString()).toContain("only root and the agent's own user");
    expect(child.exitCode).toBe(1);
  });

  test("without --stdio it says what it wants, and without an agent where it looked", async () => {
    expect(await machine.lab.qf(["agent", "ssh"])).toMatchObject({ exitCode: 2 });
    const none = await machine.lab.qf(["agent", "ssh", "--stdio", "--state-dir", `${machine.lab.root}/none`]);
    expect(none.stderr).toContain("no agent runs on");
    expect(none.exitCode).toBe(1);
  });

  test("an agent that serves no SSH is named as the cause", async () => {
    await machine.agent.up(["--allow-server-ssh=false"]);
    const result = await ssh("true");
    expect(result.stderr).toContain("qf: error: the agent serves no SSH\n");
    expect(result.exitCode).toBe(255);
  });
});
