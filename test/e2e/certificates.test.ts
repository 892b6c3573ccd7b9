/** Certificates that are not what they should be, at the compiled agent's own port. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabAgent } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openStockMachine, type StockMachine } from "../support/stock-machine.ts";

const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

describe.skipIf(!isRoot)("a certificate", () => {
  let machine: StockMachine;
  let other: LabAgent;

  beforeAll(async () => {
    machine = await openStockMachine();
    const groups = await machine.lab.api<{ id: string; name: string }[]>("GET", "/api/groups");
    const servers = groups.filter(({ name }) => name === "Servers").map(({ id }) => id);
    other = await machine.lab.startAgent("other", {
      groups: servers,
      args: ["--plain-ssh-listen", "127.0.0.1:0"],
    });
  }, 120_000);

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });

  const portOf = async (agent: LabAgent): Promise<number> =>
    Number((await agent.status()).sshServer.plainListen?.[0]?.split(":").at(-1));

  /** Signs in with the certificate of the file, whatever host keys the port has. */
  function present(port: number, certificate = machine.certificate) {
    const anyHost = [
      "-o",
      "StrictHostKeyChecking=no",
      "-o",
      "UserKnownHostsFile=/dev/null",
      "-o",
      "LogLevel=ERROR",
    ];
    const only = [
      "-o",
      "IdentitiesOnly=yes",
      "-o",
      "PreferredAuthentications=publickey",
      "-o",
      "BatchMode=yes",
    ];
    const identity = ["-i", machine.key, "-o", `CertificateFile=${certificate}`];
    const target = ["-p", String(port), `${machine.account.name}@127.0.0.1`, "echo", "in"];
    return machine.run(["ssh", "-F", "none", ...anyHost, ...only, ...identity, ...target]);
  }

  const refusals = async (reason: string): Promise<number> => {
    const events = await machine.lab.events("limit=1000");
    return events.filter((event) => JSON.stringify(event.data ?? {}).includes(`"reason":"${reason}"`)).length;
  };

  test("as it was made gets in", async () => {
    await machine.refresh();
    expect(await present(machine.port)).toMatchObject({ exitCode: 0, stdout: "in\n" });
  });

  test("made for one machine opens no other", async () => {
    await machine.refresh();
    expect(await present(await portOf(other))).toMatchObject({ exitCode: 255, stdout: "" });
    await machine.lab.until("the event", async () => (await refusals("wrong_target")) > 0);
    expect(await present(machine.port)).toMatchObject({ exitCode: 0 });
  });

  test("with any part changed opens nothing", async () => {
    await machine.refresh();
    const [type = "", blob = "", comment = ""] = readFileSync(machine.certificate, "utf8").trim().split(" ");
    const bytes = Buffer.from(blob, "base64");
    const name = bytes.indexOf(machine.account.name);
    const places = {
      serial: 4 + type.length + 4 + 32 + 4 + 32 + 7,
      principal: name,
      signature: bytes.length - 5,
    };
    for (const [part, at] of Object.entries(places)) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const path = join(machine.lab.root, `changed-${part}-cert.pub`);
      writeFileSync(path, `${type} ${changed.toString("base64")} ${comment}\n`, { mode: 0o600 });
      expect(await present(machine.port, path)).toMatchObject({ exitCode: 255, stdout: "" });
    }
  });

  test.skipIf(!existsSync(FAKETIME))(
    "that has run out opens nothing",
    async () => {
      await machine.refresh();
      await other.kill();
      await machine.agent.down();
      // The machine's own clock is four minutes on: two of life and one of tolerance are over.
      const env = machine.lab.env({
        LD_PRELOAD: FAKETIME,
        FAKETIME: "+4m",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      });
      const up = ["agent", "up", "--foreground", "--state-dir", machine.agent.stateDir];
      const child = Bun.spawn([machine.lab.executable, ...up], {
        env,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
      });
      try {
        const port = await machine.lab.until("the port", async () =>
          portOf(machine.agent).catch(() => undefined),
        );
        await machine.lab.until("the map", async () => (await machine.agent.status()).management.connected);
        expect(await present(port)).toMatchObject({ exitCode: 255, stdout: "" });
        await machine.lab.until("the event", async () => (await refusals("certificate_expired")) > 0);
      } finally {
        child.kill("SIGTERM");
        await child.exited;
      }
    },
    60_000,
  );
});
