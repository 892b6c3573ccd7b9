/** Passwords of the embedded provider: known to their person only; a new one ends what the old began. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Lab, type LabDevice, OWNER, openLab, type Person } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { signIn } from "../support/sign-in.ts";

const LINK = /^(http:\/\/\S+\/idp\/password\/[\w-]{43})$/m;

describe.skipIf(!isRoot)("passwords", () => {
  let lab: Lab;
  let owner: LabDevice;
  let ada: Person;
  let hers: LabDevice;
  let account: OsAccount;

  beforeAll(async () => {
    account = new OsAccount("pass");
    lab = await openLab();
    const devs = await lab.createGroup("devs");
    const servers = await lab.createGroup("servers");
    ada = await lab.createPerson("ada@example.com", [devs]);
    await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [account.name] } });
    await lab.startAgent("web1", { groups: [servers] });
    owner = lab.device(OWNER, "desk");
    hers = lab.device(ada, "laptop");
    await owner.login();
  }, 120_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
  });

  /** Sends the form of a link. */
  async function choose(link: string, password: string, headers: Record<string, string> = {}) {
    const body = new URLSearchParams({ new_password: password, repeated: password });
    const answer = await fetch(link, { method: "POST", body, headers });
    return { status: answer.status, text: await answer.text() };
  }

  async function linkOf(args: readonly string[]): Promise<string> {
    const made = await owner.qf(args);
    expect(made).toMatchObject({ exitCode: 0 });
    return LINK.exec(made.stdout)?.[1] ?? "";
  }

  test("an invitation is used by sending its form, once, and a later one ends it", async () => {
    const first = await linkOf(["user", "create", "eve@example.com"]);
    const second = await linkOf(["user", "invite", "eve@example.com"]);
    expect((await fetch(first)).status).toBe(404);
    // What scans mail opens links too.
    for (let i = 0; i < 3; i++) expect((await fetch(second)).status).toBe(200);
    expect((await choose(second, "short")).status).toBe(422);
    expect((await choose(second, "a good password", { origin: "https://evil.example" })).status).toBe(403);
    const both = await Promise.all([choose(second, "a good password"), choose(second, "another password")]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 404]);
    expect((await choose(second, "a good password")).status).toBe(404);
    const again = await owner.qf(["user", "invite", "eve@example.com"]);
    expect(again.exitCode).not.toBe(0);
  });

  test("a reset ends logins and live connections, and the old password", async () => {
    await hers.login();
    const terminal = hers.terminal(["ssh", `${account.name}@web1`]);
    await terminal.expect(/\$ $/);
    const link = await linkOf(["user", "reset-password", "ada@example.com"]);
    // Nothing ends before the person has chosen.
    expect((await hers.qf(["ssh", `${account.name}@web1`, "true"])).exitCode).toBe(0);
    expect((await choose(link, "another good password")).status).toBe(200);
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).toMatch(/Access revoked: /);
    expect(
      (await hers.qf(["ssh", `${account.name}@web1`, "true"], { env: { QF_NO_BROWSER: "1" } })).exitCode,
    ).not.toBe(0);
    const codes = (await lab.events()).map((event) => event.activity_code);
    expect(codes).toContain("user.password.reset.link");
    expect(codes).toContain("user.password.reset");
  });

  test("people change their own with the current one, and must be told a wrong one", async () => {
    const device = lab.device({ email: ada.email, password: "another good password" }, "tablet");
    await device.login();
    const change = (lines: string) => device.qf(["user", "password", "--password-stdin"], { stdin: lines });
    expect((await change("wrong\na third password\n")).exitCode).not.toBe(0);
    expect((await change("another good password\nshort\n")).exitCode).not.toBe(0);
    const changed = await change("another good password\na third password\n");
    expect(changed).toMatchObject({ exitCode: 0 });
    const after = await device.qf(["ls"], { env: { QF_NO_BROWSER: "1" } });
    expect(after.exitCode).not.toBe(0);
    const anew = lab.device({ email: ada.email, password: "a third password" }, "phone");
    await anew.login();
  });

  test("a sign-in that waits for its code ends with the password that was given for it", async () => {
    const old = { email: ada.email, password: "a third password" };
    const terminal = lab.device(old, "watch").terminal(["login", "--no-browser"], { BROWSER: "" });
    const visit = await signIn((await terminal.expect(/^(http\S+)\s*$/m))[1] ?? "", old);
    expect(visit.code).toBeString();
    const body = new URLSearchParams({
      ...old,
      new_password: "a fourth password",
      repeated: "a fourth password",
    });
    expect((await fetch(`${lab.url}/idp/password`, { method: "POST", body })).status).toBe(200);
    terminal.type(`${visit.code}\n`);
    expect(await terminal.end()).not.toBe(0);
    await lab.device({ ...old, password: "a fourth password" }, "watch2").login();
  });

  test("what an administrator set signs nobody in until its person has replaced it", async () => {
    const made = await owner.qf(["user", "create", "bob@example.com", "--password-stdin"], {
      stdin: "set by an admin\n",
    });
    expect(made).toMatchObject({ exitCode: 0 });
    expect(made.stdout).not.toMatch(LINK);
    const form = { email: "bob@example.com", password: "set by an admin" };
    const terminal = lab.device(form, "bobs").terminal(["login", "--no-browser"], { BROWSER: "" });
    const visit = await signIn((await terminal.expect(/^(http\S+)\s*$/m))[1] ?? "", form);
    expect(visit.status).toBe(403);
    expect(visit.pages.at(-1)?.text).toContain("/idp/password?next=/idp/interaction/");
    const body = new URLSearchParams({ ...form, new_password: "known to bob", repeated: "known to bob" });
    expect((await fetch(`${lab.url}/idp/password`, { method: "POST", body })).status).toBe(200);
    terminal.type("\x03");
    await terminal.end();
    await lab.device({ email: "bob@example.com", password: "known to bob" }, "bobs2").login();
  });

  test("an admin makes no link for an owner, a plain user for nobody", async () => {
    const eve = lab.device({ email: "ada@example.com", password: "a fourth password" }, "eves");
    await eve.login();
    expect((await eve.qf(["user", "reset-password", "bob@example.com"])).exitCode).toBe(1);
    const promoted = await owner.qf(["user", "update", "ada@example.com", "--role", "admin"]);
    expect(promoted).toMatchObject({ exitCode: 0 });
    const refused = await eve.qf(["user", "reset-password", OWNER.email]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).not.toMatch(LINK);
  });
});
