/** Any SSH client, without a certificate: OpenSSH by keyboard-interactive, plink, dbclient, paramiko. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, Person } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { signIn, type Visit } from "../support/sign-in.ts";

/** What PuTTY shows, to the letter where it is ours; ID, CODE and the like stand for what changes. */
const PUTTY_SUCCESS = `-- Keyboard-interactive authentication prompts from server: ------------------
| To sign in, open this page in a browser:
|
| URL
|
| It lets the SSH client at 127.0.0.1 in as USER on web1.qf.internal,
| and shows a one-time code. Type it here within five minutes.
| (URL) One-time code: CODE
-- End of keyboard-interactive prompts from server ---------------------------
uid=USER`;

const PYTHON = "/usr/bin/python3";
const hasParamiko =
  existsSync(PYTHON) && Bun.spawnSync([PYTHON, "-c", "import paramiko"], { stderr: "ignore" }).exitCode === 0;
const hasPlink = Bun.which("plink") !== null;
const hasSsh = Bun.which("ssh") !== null;
/** Prints what it is asked and types what it reads from standard input. */
const PARAMIKO = `
import sys, paramiko
host, port, user = sys.argv[1], int(sys.argv[2]), sys.argv[3]
transport = paramiko.Transport((host, port))
transport.start_client(timeout=10)
try:
    transport.auth_password(user, "secret", fallback=False)
except paramiko.BadAuthenticationType as refused:
    print("offered " + ",".join(refused.allowed_types), flush=True)
def answer(title, instructions, prompts):
    print(instructions, flush=True)
    given = []
    for prompt, echo in prompts:
        print(prompt + ("echo" if echo else "hidden"), flush=True)
        given.append(sys.stdin.readline().strip())
    return given
try:
    transport.auth_interactive(user, answer)
except paramiko.AuthenticationException as refused:
    print("refused", flush=True)
    sys.exit(1)
channel = transport.open_session()
channel.exec_command("id -un; exit 7")
print("ran " + channel.makefile().read().decode().strip(), channel.recv_exit_status(), flush=True)
transport.close()
`;

import { sentenceOf } from "../../src/policy/sentences.ts";

/** Which of them are here; the others' tests are skipped. */
const CLIENTS = [
  { client: "ssh", isHere: hasSsh },
  { client: "plink", isHere: hasPlink },
  { client: "dbclient", isHere: Bun.which("dbclient") !== null },
  { client: "paramiko", isHere: hasParamiko },
] as const;
type ClientName = (typeof CLIENTS)[number]["client"];

describe.skipIf(!isRoot)("any SSH client", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let ada: Person;
  let bob: Person;
  let port: string;
  let devs: string;
  let policyId: string;
  let servers: string;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["deploy"]],
      people: { ada: ["devs"], bob: [] },
      policies: [{ rule: { ssh: { allow_unmanaged_devices: true } } }],
      machines: { web1: ["--plain-ssh-listen", "127.0.0.1:0"] },
      devices: {},
    });
    ({ lab, account: deploy, devs, servers, person: ada, agent } = setUp);
    bob = setUp.personNamed("bob");
    policyId = setUp.policy.id;
    port = (await agent.status()).sshServer.plainListen?.[0]?.split(":").at(-1) ?? "";
    if (hasPlink) await keepHostKey();
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  function rule(allowUnmanaged: boolean): Record<string, unknown> {
    return {
      authorized_groups: { [devs]: [deploy.name] },
      ssh: { allow_unmanaged_devices: allowUnmanaged },
    };
  }

  const setRule = (allowUnmanaged: boolean) =>
    lab.api("PUT", `/api/policies/${policyId}`, {
      name: "devs",
      enabled: true,
      rules: [
        {
          name: "devs",
          enabled: true,
          action: "accept",
          bidirectional: false,
          protocol: "qufabric-ssh",
          sources: [devs],
          destinations: [servers],
          ...rule(allowUnmanaged),
        },
      ],
    });

  function start(client: ClientName, command = "id -un", user = deploy.name): LabTerminal {
    const known = join(lab.root, "known_hosts");
    const options = [
      "PreferredAuthentications=keyboard-interactive",
      "StrictHostKeyChecking=accept-new",
      `UserKnownHostsFile=${known}`,
    ].flatMap((option) => ["-o", option]);
    const commands: Record<ClientName, string[]> = {
      ssh: ["ssh", "-F", "none", "-p", port, ...options, `${user}@127.0.0.1`, command],
      plink: ["plink", "-ssh", "-no-antispoof", "-P", port, `${user}@127.0.0.1`, command],
      dbclient: ["dbclient", "-y", "-y", "-p", port, `${user}@127.0.0.1`, command],
      paramiko: [PYTHON, "-c", PARAMIKO, "127.0.0.1", port, user],
    };
    return new LabTerminal(commands[client], lab.env({ TERM: "xterm" }), lab.root);
  }

  /** PuTTY asks about a new host key once, and keeps the answer. */
  async function keepHostKey(): Promise<void> {
    const terminal = start("plink");
    await terminal.expect(/\(y\/n/);
    terminal.type("y\r");
    await terminal.expect(/code: /);
    terminal.process.kill();
    await terminal.process.exited;
  }

  async function prompted(terminal: LabTerminal): Promise<string> {
    await terminal.expect(/One-time code: /);
    return /http\S+\/login\/hosted\/\w+/.exec(terminal.text)?.[0] ?? "";
  }

  async function signedIn(terminal: LabTerminal, who = ada): Promise<Visit> {
    const visit = await signIn(await prompted(terminal), who);
    terminal.type(`${visit.code ?? "AAAA-AAAA"}\r`);
    return visit;
  }

  for (const { client, isHere } of CLIENTS) {
    test.skipIf(!isHere)(`${client} signs in by a page and its code`, async () => {
      const terminal = start(client);
      const visit = await signedIn(terminal);
      expect(visit.pages[0]?.text).toContain("web1.qf.internal");
      expect(visit.pages[0]?.text).toContain(deploy.name);
      expect(visit.pages[0]?.text).toContain("127.0.0.1");
      expect(visit.pages[1]?.text).toContain("an SSH client");
      expect(await terminal.end()).toBe(0);
      if (client === "paramiko") {
        expect(terminal.text).toContain("offered keyboard-interactive,publickey");
        expect(terminal.text).toContain("One-time code: echo");
        expect(terminal.text).toContain(`ran ${deploy.name} 7`);
      } else expect(terminal.text).toContain(`\n${deploy.name}`);
    });

    test.skipIf(!isHere)(`${client} reads why it was refused, and the next step`, async () => {
      const denied = start(client);
      await signedIn(denied, bob);
      expect(await denied.end()).not.toBe(0);
      // PuTTY breaks long lines and marks them.
      const text = denied.text.replace(/\r?\n>? ?\|? ?/g, (found) => (found.includes(">") ? "" : "\n"));
      expect(text).toContain(`${sentenceOf("peer_not_authorized").sentence} (`);
      const receipt = /receipt (\w{20})/.exec(text)?.[1] ?? "no receipt";
      // Those of the clients before are there as well.
      await lab.until("the decision", async () =>
        (await lab.events()).some(
          (one) => one.activity_code === "ssh.decision.deny" && JSON.stringify(one.data).includes(receipt),
        ),
      );
    });
  }

  test.skipIf(!hasPlink)("PuTTY shows what is asked and where, word for word", async () => {
    const terminal = start("plink", "echo uid=$(id -un)");
    const visit = await signedIn(terminal);
    expect(await terminal.end()).toBe(0);
    const shown = terminal.text
      .replaceAll("\r", "")
      // It breaks lines of more than 79 characters, which depends on the names.
      .replace(/\n> /g, "")
      .replace(/http[^\s)]+/g, "URL")
      .replaceAll(deploy.name, "USER")
      .replace(visit.code ?? "", "CODE")
      .replace(/ +$/gm, "");
    expect(shown.slice(shown.indexOf("-- Keyboard")).trim()).toBe(PUTTY_SUCCESS);
  });

  test.skipIf(!hasSsh)("a code of another connection opens nothing", async () => {
    const first = start("ssh");
    const second = start("ssh");
    const visit = await signIn(await prompted(first), ada);
    await signIn(await prompted(second), ada);
    second.type(`${visit.code}\r`);
    await second.expect(/That is not the code of the page; 4 tries are left/);
    first.type(`${visit.code}\r`);
    expect(await first.end()).toBe(0);
    for (let i = 3; i >= 1; i--) {
      second.type(`${visit.code}\r`);
      await second.expect(new RegExp(`; ${i} (?:tries are|try is) left`));
    }
    second.type(`${visit.code}\r`);
    expect(await second.end()).toBe(255);
    expect(second.text).toContain("too many wrong codes");
  });

  test.skipIf(!hasSsh)("a rule for registered devices only does not open to it", async () => {
    await setRule(false);
    const terminal = start("ssh");
    await signedIn(terminal);
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).toContain(`${sentenceOf("unmanaged_device").sentence} (`);
    await setRule(true);
  });

  test.skipIf(!hasSsh)("a live one ends when its rule no longer admits it", async () => {
    const terminal = start("ssh", "echo begun; sleep 60");
    await signedIn(terminal);
    await terminal.expect(/begun/);
    const [session] = (await agent.status()).sshServer.sessions;
    expect(session).toMatchObject({ localUser: deploy.name, user: ada.email, peer: "" });
    await setRule(false);
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).toContain(`Access revoked: ${sentenceOf("unmanaged_device").sentence}`);
    await setRule(true);
  });

  test.skipIf(!hasSsh)("a live one ends when its person is blocked, who cannot sign in again", async () => {
    const terminal = start("ssh", "echo begun; sleep 60");
    await signedIn(terminal);
    await terminal.expect(/begun/);
    await lab.setGroups(ada, [devs], { is_blocked: true });
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).toContain(`Access revoked: ${sentenceOf("user_blocked").sentence}`);
    const again = start("ssh");
    const visit = await signedIn(again);
    expect(visit.code).toBeUndefined();
    expect(visit.pages.at(-1)?.text).toContain(sentenceOf("user_blocked").sentence);
    expect(await again.end()).toBe(255);
    expect(again.text).toContain("Authentication failed: the sign-in was denied");
    await lab.setGroups(ada, [devs]);
  });

  test.skipIf(!hasSsh)("those who wait are bounded in number, and leave others their place", async () => {
    const waiting = Array.from({ length: 16 }, () => start("ssh"));
    await Promise.all(waiting.map((terminal) => prompted(terminal)));
    const late = start("ssh");
    expect(await late.end()).toBe(255);
    expect(late.text).toContain("Too many sign-ins are waiting on this machine");
    const device = lab.device(ada, "laptop");
    const result = await device.ssh([`${deploy.name}@web1`, "echo", "in"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "in\n" });
    for (const { process } of waiting) process.kill();
    await Promise.all(waiting.map(({ process }) => process.exited));
    const next = start("ssh");
    await signedIn(next);
    expect(await next.end()).toBe(0);
  });

  test.skipIf(!hasSsh)(
    "is evidence: the approval, the decision and the connection, tied together",
    async () => {
      const terminal = start("ssh");
      await signedIn(terminal);
      await terminal.end();
      // Newest first: the last approval is of this connection, whatever comes after its end.
      const approvedIn = (all: Awaited<ReturnType<typeof lab.events>>) =>
        all.find((event) => event.activity_code === "login.hosted.approve");
      const events = await lab.until("the end of the connection that was approved last", async () => {
        const all = await lab.events();
        const { connection } = approvedIn(all)?.meta ?? {};
        return all.some(
          ({ activity_code, data }) =>
            activity_code === "ssh.connection.close" && data?.connectionId === connection,
        )
          ? all
          : undefined;
      });
      const approved = approvedIn(events);
      expect(approved?.initiator_id).toBe(ada.id);
      const opened = events.find((event) => event.activity_code === "ssh.connection.open");
      expect(opened?.data).toMatchObject({
        connectionId: approved?.meta.connection,
        path: "plain",
        userId: ada.id,
        devicePeerId: null,
      });
    },
  );

  test.skipIf(!hasSsh)("a certificate of ours is taken there too, for the device it names", async () => {
    await setRule(false);
    const device = lab.device(ada, "desk");
    await device.login();
    const config = join(device.configDir, "openssh-config");
    const { executable } = lab;
    const dropIn = { executable, domain: "qf.internal", configDir: device.configDir, shortNames: false };
    writeFileSync(config, renderDropIn(dropIn));
    const env = lab.env(device.env());
    const destination = `${deploy.name}@web1.qf.internal`;
    const minted = await runProcess(["ssh", "-F", config, destination, "true"], { env });
    expect(minted).toMatchObject({ exitCode: 0 });
    const files = readdirSync(device.configDir, { recursive: true, encoding: "utf8" });
    const key = files.find((name) => name.endsWith("web1.qf.internal")) ?? "no key";
    const options = [
      `IdentityFile=${join(device.configDir, key)}`,
      "IdentitiesOnly=yes",
      "BatchMode=yes",
      "StrictHostKeyChecking=accept-new",
      `UserKnownHostsFile=${join(lab.root, "known_hosts")}`,
    ].flatMap((option) => ["-o", option]);
    const command = ["ssh", "-F", "none", "-p", port, ...options, `${deploy.name}@127.0.0.1`, "id -un"];
    const result = await runProcess(command, { env });
    expect(result).toMatchObject({ exitCode: 0, stdout: `${deploy.name}\n` });
    await setRule(true);
  });

  // The last two change what the machine is.
  test.skipIf(!hasSsh)("one line says that management is away, and no prompt comes", async () => {
    await lab.management?.stop();
    await lab.until("the link to be down", async () => !(await agent.status()).management.connected);
    const terminal = start("ssh");
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).toContain("this machine cannot reach its management server");
    expect(terminal.text).not.toContain("code:");
    await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).management.connected, 30_000);
  });

  test.skipIf(!hasSsh)("the listener comes and goes with its flag", async () => {
    await agent.up(["--plain-ssh-listen="]);
    expect((await agent.status()).sshServer.plainListen).toEqual([]);
    const refused = start("ssh");
    expect(await refused.end()).toBe(255);
    expect(refused.text).toContain("Connection refused");
  });
});
