/** Live sessions by the executable: listed, shown, ended with a reason, and found again afterwards. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Session, SessionDetail } from "../../src/wire/session.ts";
import type { LabDevice } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("live sessions", () => {
  let setUp: SetUp;
  let ada: LabDevice;
  let bob: LabDevice;
  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["live"]],
      people: { ada: ["devs"], bob: ["devs"] },
      devices: { laptop: "ada", desktop: "bob" },
    });
    ada = setUp.deviceNamed("laptop");
    bob = setUp.deviceNamed("desktop");
  }, 120_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const asOwner = (args: readonly string[]) =>
    setUp.lab.qf(args, { env: { QF_TOKEN: setUp.lab.token, QF_MANAGEMENT_URL: setUp.lab.url } });
  const target = (): string => `${setUp.account.name}@web1`;

  /** A shell on a terminal, once the owner sees it. */
  async function aShell() {
    const shell = ada.terminal(["ssh", target()]);
    await shell.expect(/[$#] /);
    const session = await setUp.lab.until("the session", async () => {
      const { stdout } = await asOwner(["session", "list", "--json", "--user", "ada@example.com"]);
      return (JSON.parse(stdout) as Session[]).find(({ running }) => running.includes("<interactive shell>"));
    });
    return { shell, session };
  }

  test("a shell is listed, ended by an administrator with a reason on its terminal, and found in the history", async () => {
    const { shell, session } = await aShell();
    expect(session).toMatchObject({
      ...{ state: "live", user: "ada@example.com", machine: "web1", local_user: setUp.account.name },
      ...{ rule_id: setUp.policy.rules[0]?.id, may_end: true },
    });
    const listed = await asOwner(["session", "list"]);
    expect(listed.stdout).toContain(session.id);
    const killed = await asOwner(["session", "kill", session.id, "--reason", "Wartung für 5 Minuten"]);
    expect(killed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(killed.stdout).toStartWith(`ended session ${session.id}`);
    await shell.expect(/ended this session: Wartung für 5 Minuten/);
    expect(await shell.end()).toBe(255);
    // The machine reports the end; the terminal may have heard of it sooner.
    const ended = await setUp.lab.until("the history", async () => {
      const said = await asOwner(["session", "history", "--machine", "web1", "--since", "1h", "--json"]);
      return (JSON.parse(said.stdout) as Session[])[0];
    });
    expect(ended).toMatchObject({ id: session.id, end_reason: "session_killed" });
    const shown = await asOwner(["session", "show", session.id, "--json"]);
    const detail = JSON.parse(shown.stdout) as SessionDetail;
    expect(detail.channels).toMatchObject([{ kind: "shell", pty: true, ended_at: expect.any(String) }]);
    expect(detail.ended_by).toMatchObject({ id: setUp.lab.ownerId, reason: "Wartung für 5 Minuten" });
    expect((await asOwner(["session", "kill", session.id])).exitCode).toBe(1);
  }, 90_000);

  test("people see and end their own sessions, and not each other's", async () => {
    const { shell, session } = await aShell();
    const seen = JSON.parse((await ada.qf(["session", "list", "--json"])).stdout) as Session[];
    expect(seen.map(({ id }) => id)).toEqual([session.id]);
    const others = await bob.qf(["session", "list", "--json"]);
    expect(JSON.parse(others.stdout)).toEqual([]);
    expect(await bob.qf(["session", "kill", session.id])).toMatchObject({ exitCode: 1, stdout: "" });
    expect(shell.process.exitCode).toBeNull();
    expect((await ada.qf(["session", "kill", session.id])).exitCode).toBe(0);
    await shell.expect(/you ended this session/);
    expect(await shell.end()).toBe(255);
    const ended = await setUp.lab.until("the history", async () => {
      const said = await ada.qf(["session", "history", "--json"]);
      return (JSON.parse(said.stdout) as Session[]).find(({ id }) => id === session.id);
    });
    expect(ended.state).toBe("ended");
  }, 90_000);

  test("a reason that could drive a terminal is refused before anything is asked", async () => {
    const { exitCode, stderr } = await asOwner(["session", "kill", "x", "--reason", "\u001b[2J"]);
    expect(exitCode).toBe(2);
    expect(stderr).toStartWith("qf: error: --reason ");
  });
});
