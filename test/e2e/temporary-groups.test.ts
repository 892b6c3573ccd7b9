/** A group for a while: a person asks for it, another approves, and it lets them in until it is ended. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

/** Others use the processors too. */
const PATIENCE_MS = 60_000;

describe.skipIf(!isRoot)("a group that people may ask to be in", () => {
  let setUp: SetUp;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["tempgrp"]],
      groups: { oncall: "On call", leads: "Leads" },
      people: { ada: ["devs"], bob: ["leads"] },
      policies: [],
      devices: { laptop: "ada", bobs: "bob" },
    });
    const { lab, servers, account } = setUp;
    const oncall = setUp.group("oncall");
    await lab.createPolicy("oncall", [oncall], [servers], {
      authorized_groups: { [oncall]: [account.name] },
    });
    // Somebody reaches the machine always, or it is silent to everybody.
    await lab.createPolicy("devs", [setUp.devs], [servers], {
      authorized_groups: { [setUp.devs]: ["nobody"] },
    });
    await lab.api("PUT", `/api/groups/${oncall}`, {
      ...{ name: "On call", requestable: true, approver_groups: [setUp.group("leads")] },
      request_seconds_max: 7_200,
    });
  }, 180_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const bobs = () => setUp.deviceNamed("bobs");
  const run = () => setUp.device.ssh([`${setUp.account.name}@web1`, "echo in"]);
  const ask = async (): Promise<string> => {
    const asked = await setUp.device.qf([
      ...["access", "request", "--group", "On call", "--for", "1h", "--reason", "night shift", "--json"],
    ]);
    expect([asked.exitCode, asked.stderr]).toEqual([0, ""]);
    return (JSON.parse(asked.stdout) as { id: string }).id;
  };

  test("lets nobody in who asked and was denied", async () => {
    expect(await run()).toMatchObject({ exitCode: 255, stdout: "" });
    const id = await ask();
    // Who asks does not decide, nor is asking enough.
    expect((await setUp.device.qf(["access", "approve", id, "--yes"])).exitCode).toBe(1);
    expect((await run()).exitCode).toBe(255);
    expect((await bobs().qf(["access", "deny", id, "--reason", "not tonight"])).exitCode).toBe(0);
    const refused = await run();
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    expect(refused.stderr).toMatch(/receipt [a-z0-9]{20}/);
  }, 120_000);

  test("lets in who was approved, and ends what runs when it is ended", async () => {
    const id = await ask();
    expect((await bobs().qf(["access", "approve", id, "--for", "30m", "--yes"])).exitCode).toBe(0);
    await setUp.lab.until("access", async () => (await run()).stdout === "in\n", PATIENCE_MS);
    const terminal = setUp.device.terminal(["ssh", `${setUp.account.name}@web1`]);
    terminal.type("echo in-$((40 + 2))\n");
    await terminal.expect(/in-42/, PATIENCE_MS);
    expect((await bobs().qf(["access", "end", id])).exitCode).toBe(0);
    expect(await terminal.end(PATIENCE_MS)).toBe(255);
    expect(terminal.text).toContain("Access revoked");
    expect(await run()).toMatchObject({ exitCode: 255, stdout: "" });
  }, 180_000);
});
