/** Every way to be refused that a person can meet, with the sentence on their own terminal. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { type Lab, type LabAgent, type LabDevice, type Person, policyBody } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { type RunResult, runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

interface LabPolicyBody {
  readonly id: string;
}

describe.skipIf(!isRoot)("a denial", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let person: Person;
  let device: LabDevice;
  let devs: string;
  let others: string;
  let managed: string;
  let servers: string;
  let policy: LabPolicyBody;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["deny"]],
      groups: { others: "Others", managed: "Managed" },
      policies: [{ logins: ["deny", "root"] }],
      machines: { web1: ["--enable-ssh-root"] },
    });
    ({ lab, account, devs, servers, person, policy, agent, device } = setUp);
    others = setUp.group("others");
    managed = setUp.group("managed");
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const rule = (change: Record<string, unknown>): Record<string, unknown> => ({
    authorized_groups: { [devs]: [account.name, "root"] },
    ...change,
  });

  /** Replaces the one policy; its own sources and destinations unless `change` has others. */
  const setPolicy = (
    change: Record<string, unknown>,
    policyChange: Record<string, unknown> = {},
  ): Promise<unknown> =>
    lab.api("PUT", `/api/policies/${policy.id}`, {
      ...policyBody("devs", [devs], [servers], rule(change)),
      ...policyChange,
    });

  /** Without a controlling terminal, on which a person would be asked for a reason. */
  const attempt = (localUser = account.name) =>
    runProcess(["setsid", "--wait", lab.executable, "ssh", `${localUser}@web1`, "echo", "in"], {
      env: lab.env(device.env()),
      cwd: lab.root,
    });

  /** Allowed before and after; in between `breakIt` makes it a denial with `sentence`. */
  async function denies(
    sentence: string,
    breakIt: () => Promise<unknown>,
    mendIt: () => Promise<unknown>,
    localUser = account.name,
  ): Promise<void> {
    await allowed(localUser);
    await breakIt();
    try {
      const result = await attemptUntil(
        `"${sentence}"`,
        localUser,
        (one) => one.exitCode === 255 && one.stderr.includes(sentence),
      );
      expect(result.stdout).toBe("");
      // Whoever may not even sign in is told so before there is a decision to give a receipt for.
      if (!/^User is (?:blocked|waiting)/.test(sentence))
        expect(result.stderr).toMatch(/receipt [a-z0-9]{20}/);
    } finally {
      await mendIt();
    }
    await allowed(localUser);
  }

  const allowed = (localUser = account.name) =>
    attemptUntil("access", localUser, (one) => one.stdout === "in\n");

  /** Tries until the answer is the wanted one, and says what the last one was when it never is. */
  async function attemptUntil(
    what: string,
    localUser: string,
    wanted: (result: RunResult) => boolean,
  ): Promise<RunResult> {
    let last: RunResult | undefined;
    try {
      return await lab.until(what, async () => {
        last = await attempt(localUser);
        return wanted(last) ? last : undefined;
      });
    } catch (cause) {
      throw new Error(`no ${what}, but ${JSON.stringify(last)}`, { cause });
    }
  }

  test("of a person in no group of the policy", () =>
    denies(
      "User is not authorized to access this peer",
      () => lab.setGroups(person, [others]),
      () => lab.setGroups(person, [devs]),
    ));

  test("of an OS user that others may be", async () => {
    const extra = await lab.createPolicy("others", [others], [servers], {
      authorized_groups: { [others]: ["postgres"] },
    });
    const result = await attempt("postgres");
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain(sentenceOf("local_user_not_authorized").sentence);
    await lab.api("DELETE", `/api/policies/${extra.id}`);
  });

  test("of an OS user nobody may be", async () => {
    const result = await attempt("games");
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain(sentenceOf("local_user_unmapped").sentence);
  });

  test("of a person whose group is in the policy and whose device is not", () =>
    denies(
      "from this device",
      () => setPolicy({ sources: [managed] }),
      () => setPolicy({}),
    ));

  test("by a disabled rule", () =>
    denies(
      "User is not authorized to access this peer",
      () => setPolicy({ enabled: false }),
      () => setPolicy({}),
    ));

  test("by a disabled policy", () =>
    denies(
      "User is not authorized to access this peer",
      () => setPolicy({}, { enabled: false }),
      () => setPolicy({}),
    ));

  test("by a rule that has expired", () =>
    denies(
      "not valid at this time",
      () => setPolicy({ valid_until: 1_000_000_000 }),
      () => setPolicy({}),
    ));

  test("by a rule outside of its hours", () => {
    const now = new Date(performance.timeOrigin + performance.now());
    const day = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][(now.getUTCDay() + 3) % 7];
    const schedule = { windows: [{ days: [day], from: "00:00", to: "24:00" }] };
    return denies(
      "not valid at this time",
      () => setPolicy({ schedule }),
      () => setPolicy({}),
    );
  });

  test("by a drop", async () => {
    let drop: LabPolicyBody | undefined;
    await denies(
      "A policy denies this access",
      async () => {
        drop = await lab.createPolicy("no", [devs], [servers], { action: "drop" });
      },
      () => lab.api("DELETE", `/api/policies/${drop?.id}`),
    );
  });

  test("by a wanted reason", () =>
    denies(
      "This access needs a reason",
      () => setPolicy({ ssh: { require_reason: true } }),
      () => setPolicy({}),
    ));

  test("by a wanted approval", () =>
    denies(
      "This access needs an approval",
      () => setPolicy({ ssh: { require_approval: true } }),
      () => setPolicy({}),
    ));

  test("by a posture check that the device does not meet", async () => {
    const checks = { nb_version_check: { min_version: "99.0.0" } };
    const check = await lab.api<{ id: string }>("POST", "/api/posture-checks", {
      name: "far ahead",
      description: "",
      checks,
    });
    await denies(
      "This device does not meet the posture checks",
      () => setPolicy({}, { source_posture_checks: [check.id] }),
      () => setPolicy({}),
    );
  });

  test("of a command, a shell and a terminal that the policy does not name, each said by the machine", async () => {
    const asks = (args: string[]) =>
      device.ssh([...args.slice(0, -1), `${account.name}@web1`, ...args.slice(-1)]);
    await setPolicy({ ssh: { commands: ["/usr/bin/id -un"] } });
    await lab.until(
      "the command",
      async () => (await asks(["/usr/bin/id -un"])).stdout === `${account.name}\n`,
    );
    expect((await asks(["/usr/bin/id -un; id"])).stderr).toContain(
      sentenceOf("command_not_allowed").sentence,
    );
    expect((await asks(["id"])).exitCode).toBe(255);
    const shell = await device.ssh(["-T", `${account.name}@web1`], { stdin: "echo in\n" });
    expect(shell.stdout).toBe("");
    expect(shell.stderr).toContain(sentenceOf("shell_not_allowed").sentence);
    await setPolicy({ ssh: { pty: false } });
    const terminal = await lab.until("the refusal of a terminal", async () => {
      const one = await asks(["-tt", "tty"]);
      return one.stderr.includes("does not allow a terminal") ? one : undefined;
    });
    expect(terminal).toMatchObject({ exitCode: 255, stdout: "" });
    await setPolicy({});
    await allowed();
  });

  test("of a service user, where the machine wants the provider's own signature", async () => {
    const user = await lab.api<{ id: string }>("POST", "/api/users", {
      name: "ci",
      role: "user",
      auto_groups: [devs],
      is_service_user: true,
    });
    const order = { name: "ci", expires_in: 1, scope: "ssh" };
    const token = await lab.api<{ plain_token: string }>("POST", `/api/users/${user.id}/tokens`, order);
    const automation = lab.device(person, "automation");
    const attemptOfService = () =>
      automation.ssh([`${account.name}@web1`, "echo", "in"], { env: { QF_TOKEN: token.plain_token } });
    expect(await attemptOfService()).toMatchObject({ exitCode: 0, stdout: "in\n" });
    const pins = ["--pin-issuer", "https://idp.example.com", "--pin-audience", "qufabric"];
    await agent.up(["--require-idp-binding", ...pins]);
    try {
      const refused = await attemptOfService();
      expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
      expect(refused.stderr).toContain(sentenceOf("binding_not_accepted").sentence);
    } finally {
      await agent.up(["--require-idp-binding=false"]);
    }
    expect(await attemptOfService()).toMatchObject({ exitCode: 0, stdout: "in\n" });
  });

  test("by a wanted recent sign-in, which qf then asks for", async () => {
    await allowed();
    await setPolicy({ ssh: { reauth_within_seconds: 30 } });
    await Bun.sleep(1_100);
    await setPolicy({ ssh: { reauth_within_seconds: 1 } });
    // With no way to sign in, the kept login is too old.
    const env = { BROWSER: "", QF_NO_BROWSER: "1" };
    const refused = await device.ssh([`${account.name}@web1`, "echo", "in"], { env });
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    await setPolicy({ ssh: { reauth_within_seconds: 10 } });
    await allowed();
    await setPolicy({});
    await device.login();
  });

  test("of a blocked person", () =>
    denies(
      "User is blocked",
      () => lab.setGroups(person, [devs], { is_blocked: true }),
      async () => {
        await lab.setGroups(person, [devs]);
        // Blocking ends logins: whoever is unblocked signs in anew.
        await device.login();
      },
    ));

  test("by SSH being off for the peer", async () => {
    const peers = await lab.api<{ id: string; name: string }[]>("GET", "/api/peers?name=web1");
    const set = (ssh_enabled: boolean) =>
      lab.api("PUT", `/api/peers/${peers[0]?.id}`, {
        name: "web1",
        ssh_enabled,
        login_expiration_enabled: false,
        inactivity_expiration_enabled: false,
      });
    await denies(
      "SSH is disabled for this peer",
      () => set(false),
      () => set(true),
    );
  });

  test("of root without the machine's flag", () =>
    denies(
      "root login is disabled on this SSH server",
      () => agent.up(["--enable-ssh-root=false"]),
      () => agent.up(["--enable-ssh-root"]),
      "root",
    ));

  test("of an account with uid 0 under another name, without the flag", async () => {
    using toor = new OsAccount("toor", ["--non-unique", "--uid", "0", "--no-create-home"]);
    await setPolicy({ authorized_groups: { [devs]: [account.name, toor.name, "root"] } });
    await denies(
      "root login is disabled on this SSH server",
      () => agent.up(["--enable-ssh-root=false"]),
      () => agent.up(["--enable-ssh-root"]),
      toor.name,
    );
    await setPolicy({});
  });

  test("of an account that does not exist", async () => {
    await setPolicy({ authorized_groups: { [devs]: ["*"] } });
    const result = await lab.until("the sentence", async () => {
      const one = await attempt("qfnobodyhere");
      return one.stderr.includes("The OS user does not exist") ? one : undefined;
    });
    expect(result.exitCode).toBe(255);
    await setPolicy({});
  });

  test("of locked and expired accounts, and of those without a shell", async () => {
    using other = new OsAccount("acct");
    await setPolicy({ authorized_groups: { [devs]: [account.name, other.name, "root"] } });
    await allowed(other.name);
    const cases = [
      [
        "The OS account is locked",
        () => other.change("usermod", "-p", "x").change("passwd", "-q", "-l"),
        () => other.change("passwd", "-q", "-u"),
      ],
      [
        "The OS account has expired",
        () => other.change("chage", "-E", "2020-01-01"),
        () => other.change("chage", "-E", "-1"),
      ],
      [
        "The OS account has no login shell",
        () => other.change("usermod", "-s", "/no/such/shell"),
        () => other.change("usermod", "-s", "/bin/bash"),
      ],
    ] as const;
    for (const [sentence, breakIt, mendIt] of cases) {
      breakIt();
      const result = await attempt(other.name);
      expect(result).toMatchObject({ exitCode: 255, stdout: "" });
      expect(result.stderr).toContain(sentence);
      mendIt();
      await allowed(other.name);
    }
    await setPolicy({});
  });

  test("of a person and of a device that wait for approval", async () => {
    const accounts = await lab.api<{ id: string; settings: Record<string, unknown> }[]>(
      "GET",
      "/api/accounts",
    );
    const settings = accounts[0]?.settings ?? {};
    const put = (change: Record<string, unknown>) =>
      lab.api("PUT", `/api/accounts/${lab.accountId}`, { settings: { ...settings, ...change } });
    await put({ device_approval: "admin" });
    const fresh = lab.device(person, "fresh");
    const result = await fresh.ssh([`${account.name}@web1`, "true"]);
    expect(result.exitCode).toBe(255);
    expect(result.stderr).toContain(sentenceOf("device_pending").sentence);
    await put({ device_approval: "auto" });
    await denies(
      "User is waiting for approval",
      () => lab.setGroups(person, [devs], { pending_approval: true }),
      async () => {
        await lab.setGroups(person, [devs], { pending_approval: false });
        await device.login();
      },
    );
  });

  test("full access lets people of the sources be anybody, and nobody else", async () => {
    await setPolicy({ authorized_groups: {} });
    // Let in, and refused by a shell that is nologin(8).
    const result = await lab.until("another answer", async () => {
      const one = await attempt("daemon");
      return one.stdout.includes("This account is currently not available") ? one : undefined;
    });
    expect(result.exitCode).toBe(1);
    const stranger = lab.device(await lab.createPerson("eve@example.com", [others]), "eve");
    const refused = await stranger.ssh([`${account.name}@web1`, "true"]);
    expect(refused.exitCode).toBe(255);
    expect(refused.stderr).toContain(sentenceOf("peer_not_authorized").sentence);
    await setPolicy({});
  }, 60_000);

  test("a refusal is found by the receipt that its person was told, and by no other", async () => {
    const stranger = lab.device(await lab.createPerson("mallory@example.com"), "mallory");
    const refused = await stranger.ssh([`${account.name}@web1`, "true"]);
    const receipt = /receipt ([a-z0-9]{20})/.exec(refused.stderr)?.[1] ?? "";
    const tail = (id: string) =>
      lab.qf(["audit", "tail", "--receipt", id], {
        env: { QF_MANAGEMENT_URL: lab.url, QF_TOKEN: lab.token },
      });
    const found = await lab.until("the refusal", async () => {
      const { stdout, exitCode } = await tail(receipt);
      return exitCode === 0 ? stdout : undefined;
    });
    expect(found.trim().split("\n")).toHaveLength(1);
    expect(found).toContain("mallory@example.com");
    const other = receipt.slice(0, -1) + (receipt.endsWith("0") ? "1" : "0");
    expect((await tail(other)).exitCode).toBe(1);
  }, 60_000);

  test("every denial is in the audit log with its reason and receipt", async () => {
    const events = await lab.events("limit=1000");
    const denials = events.filter((event) =>
      ["certificate.refuse", "ssh.decision.deny"].includes(event.activity_code),
    );
    const text = JSON.stringify(denials);
    for (const reason of [
      "peer_not_authorized",
      "local_user_unmapped",
      "device_not_authorized",
      "denied_by_rule",
      "root_disabled",
      "account_locked",
    ]) {
      expect(text).toContain(reason);
    }
  });
});
