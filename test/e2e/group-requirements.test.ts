/**
 * What a group requires of every grant at its machines, whatever the rules say: recording, a reason, an
 * approval, a recent sign-in. `web1` is in the group; `web2`, under the same rule, is not.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import type { NetworkMap } from "../../src/wire/network-map.ts";
import { labFile } from "../support/lab.ts";
import { listRecordings } from "../support/lab-recordings.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

/** Others use the processors too. */
const PATIENCE_MS = 60_000;
/** No way to sign in: what is kept has to do. */
const NO_SIGN_IN = { BROWSER: "", QF_NO_BROWSER: "1" };
const FORWARDING = ["--enable-ssh-local-port-forwarding"];

describe.skipIf(!isRoot)("a group that requires something of its machines", () => {
  let setUp: SetUp;
  let group: string;
  let web1: string;

  const run = (machine: string, args: readonly string[] = [], env: Record<string, string> = {}) =>
    setUp.device.ssh([...args, `${setUp.account.name}@${machine}`, "echo in"], { env });
  const isIn = async (machine: string, args: readonly string[] = []) =>
    expect(await run(machine, args)).toMatchObject({ exitCode: 0, stdout: "in\n" });

  /** Has the group require exactly this, and waits until the machine knows. */
  async function require(given: object): Promise<void> {
    const { lab } = setUp;
    const all = { record: "off", reason: false, approval: false, reauth_within_seconds: null, ...given };
    await lab.api("PUT", `/api/groups/${group}`, { name: "Guarded", peers: [web1], require: all });
    const { reauth_within_seconds: reauthWithinSeconds, ...rest } = all;
    await lab.until("the map", async () => {
      const { map } = JSON.parse(readFileSync(join(setUp.machine("web1").stateDir, "map.json"), "utf8"));
      return Bun.deepEquals((map as NetworkMap).settings.require, { ...rest, reauthWithinSeconds });
    });
  }

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["require"]],
      groups: { leads: "Leads" },
      people: { ada: ["devs"], bob: ["devs", "leads"] },
      // The rule asks for nothing itself, and even says so.
      policies: [{ rule: { ssh: { record: "off", local_forward: ["*:*"] } } }],
      machines: { web1: FORWARDING, web2: FORWARDING },
      devices: { laptop: "ada", bobs: "bob" },
    });
    const { lab } = setUp;
    const peers = await lab.api<{ id: string; name: string }[]>("GET", "/api/peers");
    web1 = peers.find(({ name }) => name === "web1")?.id ?? "";
    group = await lab.createGroup("Guarded", [web1]);
  }, 180_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });
  beforeEach(() => require({}), 60_000);

  test("nothing: as if it were not there", async () => {
    await isIn("web1");
    await isIn("web2");
  }, 60_000);

  test("recording: sessions are recorded there, and what cannot be recorded is refused", async () => {
    const { lab, account, device } = setUp;
    await require({ record: "required" });
    await isIn("web1");
    await isIn("web2");
    const recordings = await lab.until("the recording", async () => {
      const all = await listRecordings(lab);
      return all.length > 0 && all.every(({ status }) => status === "complete") && all;
    });
    expect(recordings).toMatchObject([{ mode: "required", machine: "web1" }]);

    // A forward goes through where it is not required.
    const banner = labFile(lab, "banner", "");
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.end("far\n");
        },
        data() {},
      },
    });
    try {
      const forward = (machine: string) =>
        device.ssh(["-W", `127.0.0.1:${server.port}`, `${account.name}@${machine}`], { stdin: banner });
      expect(await forward("web2")).toMatchObject({ exitCode: 0, stdout: "far\n" });
      const refused = await forward("web1");
      expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
      expect(refused.stderr).toContain(sentenceOf("not_recordable").sentence);
    } finally {
      server.stop(true);
    }

    const store = join(lab.dataDir, "recordings");
    renameSync(store, `${store}.aside`);
    writeFileSync(store, "");
    const unstored = await run("web1");
    await isIn("web2");
    renameSync(store, `${store}.file`);
    renameSync(`${store}.aside`, store);
    expect(unstored).toMatchObject({ exitCode: 254, stdout: "" });
    expect(unstored.stderr).toContain(sentenceOf("recording_unavailable").sentence);
  }, 120_000);

  test("a reason: none is refused there, one lets in", async () => {
    await require({ reason: true });
    const refused = await run("web1", ["-o", "BatchMode=yes"]);
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    expect(refused.stderr).toContain(sentenceOf("reason_required").sentence);
    await isIn("web1", ["--reason", "OPS-1: disk"]);
    await isIn("web2");
  }, 60_000);

  test("an approval: it waits for an admin there, and a denial keeps it out", async () => {
    const { lab, account, device } = setUp;
    await require({ approval: true });
    const owner = { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url };
    const attempt = () => device.terminal(["ssh", `${account.name}@web1`, "echo got in"]);
    const waiting = () =>
      lab.until("a request that waits", async () => {
        const { stdout } = await lab.qf(["access", "list", "--json"], { env: owner });
        return (JSON.parse(stdout) as { id: string; state: string }[]).find(
          ({ state }) => state === "waiting",
        );
      });

    const denied = attempt();
    await denied.expect(/needs an approval/, PATIENCE_MS);
    const own = await device.qf(["access", "approve", (await waiting()).id, "--yes"]);
    expect(own.exitCode).toBe(1);
    const bobs = setUp.deviceNamed("bobs");
    // A member of no approver group may not decide either.
    expect((await bobs.qf(["access", "approve", (await waiting()).id, "--yes"])).exitCode).toBe(1);
    await lab.api("PUT", `/api/users/${setUp.personNamed("bob").id}`, {
      ...{ role: "admin", auto_groups: [setUp.devs, setUp.group("leads")], is_blocked: false },
    });
    const word = await bobs.qf(["access", "deny", (await waiting()).id, "--reason", "not today"]);
    expect([word.exitCode, word.stderr]).toEqual([0, ""]);
    await denied.expect(/not today/, PATIENCE_MS);
    expect(await denied.end(PATIENCE_MS)).toBe(255);
    expect(denied.text).not.toContain("got in");

    const allowed = attempt();
    await allowed.expect(/needs an approval/, PATIENCE_MS);
    const approved = await bobs.qf(["access", "approve", (await waiting()).id, "--for", "10m", "--yes"]);
    expect([approved.exitCode, approved.stderr]).toEqual([0, ""]);
    await allowed.expect(/got in/, PATIENCE_MS);
    expect(await allowed.end(PATIENCE_MS)).toBe(0);
    await isIn("web2");
  }, 240_000);

  test("a recent sign-in: a kept login is too old there, and a fresh one lets in", async () => {
    await require({ reauth_within_seconds: 1 });
    expect(await run("web2", [], NO_SIGN_IN)).toMatchObject({ exitCode: 0, stdout: "in\n" });
    const refused = await run("web1", [], NO_SIGN_IN);
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    await setUp.lab.until("the reason", async () =>
      (await setUp.lab.events()).some((event) => JSON.stringify(event).includes("reauth_required")),
    );
    await require({ reauth_within_seconds: 600 });
    await setUp.device.login();
    expect(await run("web1", [], NO_SIGN_IN)).toMatchObject({ exitCode: 0, stdout: "in\n" });
  }, 120_000);

  test.each([["reason"], ["approval"]])(
    "a %s: a machine identity, which can have none, is refused",
    async (what) => {
      const { lab, devs, servers, agent, account } = setUp;
      await lab.createPolicy(`net ${what}`, [devs], [servers], { protocol: "tcp", ports: ["22"] });
      await agent.up(["--disable-ssh-auth"]);
      try {
        await lab.until("access", async () => (await run("web1")).stdout === "in\n");
        await require({ [what]: true });
        const refused = await run("web1", ["--reason", "OPS-1: disk"]);
        expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
        await require({});
        await isIn("web1");
      } finally {
        await agent.up(["--disable-ssh-auth=false"]);
      }
      expect(account.name).not.toBe("");
    },
    120_000,
  );
});
