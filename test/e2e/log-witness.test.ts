/** The fleet as witness, with real parts: what machines sign and are shown, and what devices carry. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { readNote } from "../../src/log/checkpoint.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp } from "../support/set-up.ts";

test.skipIf(!isRoot)(
  "machines sign and witness, devices carry checkpoints to them, and a log with another key is not believed",
  async () => {
    await using setUp = await openSetUp({
      accounts: [["wit"]],
      people: { ada: ["devs"] },
      devices: { adas: "ada" },
    });
    const { lab, account, agent, device } = setUp;
    const events = () => lab.events("limit=1000");
    const login = () => device.ssh([`${account.name}@web1`, "echo in"]);
    expect((await login()).stdout).toBe("in\n");
    await lab.until("a signed batch", async () => {
      return (await events()).some(({ activity_code }) => activity_code === "agent.batch");
    });

    // A checkpoint is made on demand, and reaches the machine within seconds.
    const audit = (verb: string) => device.qf(["audit", verb], { env: { QF_TOKEN: lab.token } });
    expect((await audit("checkpoint")).exitCode).toBe(0);
    const publicLog = join(agent.stateDir, "public/log.json");
    const seen = () => readNote(JSON.parse(readFileSync(publicLog, "utf8")).note ?? "");
    await lab.until("the checkpoint", async () => existsSync(publicLog) && seen() !== undefined, 60_000);

    // The next certificate brings one to the device, which takes it to the machine; all of it is one log.
    await audit("checkpoint");
    expect((await login()).stdout).toBe("in\n");
    const { problems } = await agent.status();
    expect(problems.join()).not.toContain("audit log");
    const verified = await audit("verify");
    expect(verified).toMatchObject({ exitCode: 0, stderr: "" });
    expect(verified.stdout).toContain("verified: ");

    // As if management had made a new key without the old one's word.
    const witness = join(agent.stateDir, "log.json");
    await agent.down();
    const stored = JSON.parse(readFileSync(witness, "utf8"));
    stored.log.key = generateEd25519().publicKey;
    writeFileSync(witness, JSON.stringify(stored));
    await agent.up();
    await lab.until(
      "the problem",
      async () => /audit log/.test((await agent.status()).problems.join()),
      60_000,
    );
    const warned = await login();
    expect(warned.stdout).toBe("in\n");
    expect(warned.stderr).toContain("audit log");
  },
  240_000,
);
