/** A machine or device that is blocked, or waits for approval: what is open ends, nothing new begins. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

interface ApiPeer {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
}

describe.skipIf(!isRoot)("a peer that is shut out", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let device: LabDevice;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["blk"]] });
    ({ lab, account, agent, device } = setUp);
  }, 120_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const run = () => device.ssh([`${account.name}@web1`, "true"]);
  const peerOf = async (kind: string): Promise<ApiPeer> => {
    const peers = await lab.api<ApiPeer[]>("GET", "/api/peers");
    const found = peers.find((peer) => peer.kind === kind);
    if (found === undefined) throw new Error(`no ${kind}`);
    return found;
  };
  const qf = (...args: string[]) =>
    lab.qf([...args, "--management-url", lab.url], { env: { QF_TOKEN: lab.token } });
  const storedMap = () => JSON.parse(readFileSync(join(agent.stateDir, "map.json"), "utf8")).map;

  test.each([
    ["blocked", "This peer is blocked", ["peer", "block", "web1"], ["peer", "unblock", "web1"]],
    [
      "made to wait for approval",
      "This peer is waiting for approval",
      undefined,
      ["peer", "update", "web1", "--approve"],
    ],
  ] as const)(
    "a machine that is %s ends its sessions, is told of nobody, and comes back",
    async (_how, says, shut, open) => {
      await lab.until("access", async () => (await run()).exitCode === 0);
      const terminal = device.terminal(["ssh", `${account.name}@web1`]);
      await terminal.expect(/\$ $/);
      if (shut === undefined) {
        const { id } = await peerOf("machine");
        const rest = { login_expiration_enabled: false, inactivity_expiration_enabled: false };
        await lab.api("PUT", `/api/peers/${id}`, {
          name: "web1",
          ssh_enabled: true,
          approval_required: true,
          ...rest,
        });
      } else expect(await qf(...shut)).toMatchObject({ exitCode: 0 });
      expect(await terminal.end()).toBe(255);
      expect(terminal.text).toContain(`Access revoked: ${sentenceOf("ssh_disabled").sentence}`);
      const refused = await run();
      expect(refused).toMatchObject({ exitCode: 255, stderr: expect.stringContaining(says) });
      const map = await lab.until("an empty map", async () => {
        const stored = storedMap();
        return Object.keys(stored.rules).length === 0 && stored;
      });
      expect([map.users, map.peers, map.self.sshEnabled]).toEqual([{}, {}, false]);
      expect((await qf("peer", "list")).stdout).toMatch(/web1 .*(blocked|pending)/);
      expect(await qf(...open)).toMatchObject({ exitCode: 0 });
      await lab.until("access again", async () => (await run()).exitCode === 0);
    },
  );

  test("a device that is blocked ends its sessions, and signs in anew once it is let in", async () => {
    await lab.until("access", async () => (await run()).exitCode === 0);
    const terminal = device.terminal(["ssh", `${account.name}@web1`]);
    await terminal.expect(/\$ $/);
    expect(await qf("peer", "block", (await peerOf("device")).id)).toMatchObject({ exitCode: 0 });
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).toMatch(
      /Access revoked: (?:This device is blocked|Authentication failed: this login was ended)/,
    );
    const login = await device.qf(["login"]);
    expect(login).toMatchObject({ exitCode: 255, stderr: expect.stringContaining("This device is blocked") });
    expect(await qf("peer", "unblock", (await peerOf("device")).id)).toMatchObject({ exitCode: 0 });
    await device.login();
    await lab.until("access again", async () => (await run()).exitCode === 0);
  });
});
