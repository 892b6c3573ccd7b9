/** OS accounts called as directories call them: with a domain, a space, an apostrophe, in another script. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabDevice } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const WORDS = ["X\\a", "X\\a b", "o'b", "ü", "王"];

describe.skipIf(!isRoot)("an OS user whose name is not plain", () => {
  let setUp: SetUp;
  let lab: Lab;
  let laptop: LabDevice;
  let config: string;

  beforeAll(async () => {
    const accounts = [...WORDS, "plain"].map((word) => [word, "--badname"] as const);
    setUp = await openSetUp({
      accounts,
      policies: [{ logins: WORDS }],
      machines: { web1: ["--enable-ssh-sftp"] },
    });
    ({ lab, device: laptop } = setUp);
    config = join(lab.root, "openssh-config");
    const { executable } = lab;
    const { configDir } = laptop;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  /** Beside the drop-in: a person's own line about the user. */
  const withUser = (name: string) => {
    const path = join(lab.root, "openssh-config-user");
    writeFileSync(path, `User "${name}"\nInclude ${config}\n`);
    return path;
  };
  const openssh = (...args: string[]) =>
    runProcess(["ssh", ...(args[0] === "-F" ? [] : ["-F", config]), "-o", "BatchMode=yes", ...args], {
      env: lab.env(laptop.env()),
      cwd: lab.root,
    });
  /** Says who it is by the account database, and by the environment. */
  const WHO = 'id -un; printf "%s\\n" "$USER" "$LOGNAME" ~';

  test.each(WORDS)("%s is let in with its own name, by qf ssh and by OpenSSH", async (word) => {
    const { name, home } = setUp.accountNamed(word);
    const want = { stdout: `${[name, name, name, home].join("\n")}\n`, exitCode: 0 };
    expect(await laptop.ssh([`${name}@web1`, WHO])).toMatchObject(want);
    expect(await laptop.ssh(["-l", name, "web1", WHO])).toMatchObject(want);
    expect(await laptop.ssh([`ssh://${encodeURIComponent(name)}@web1`, WHO])).toMatchObject(want);
    // ssh(1) takes no apostrophe before the @; what a config says it does.
    if (!word.includes("'")) expect(await openssh(`${name}@web1.qf.internal`, WHO)).toMatchObject(want);
    expect(await openssh("-F", withUser(name), "web1.qf.internal", WHO)).toMatchObject(want);
  });

  test("what is one step from a name that is let in is not", async () => {
    const { name } = setUp.accountNamed("X\\a");
    for (const near of [name.toUpperCase(), name.replace("\\", "\\\\"), name.slice(4), `${name}ü`]) {
      expect((await laptop.ssh([`${near}@web1`, "true"])).exitCode).toBe(255);
    }
    const plain = await laptop.ssh([`${setUp.accountNamed("plain").name}@web1`, "true"]);
    expect(plain.exitCode).toBe(255);
    expect(plain.stderr).toContain(sentenceOf("local_user_unmapped").sentence);
  });

  test("files are copied to and from it, and its session is listed by its name", async () => {
    const { name } = setUp.accountNamed("X\\a b");
    const file = join(lab.root, "file");
    writeFileSync(file, "content");
    const env = lab.env(laptop.env());
    const batch = `put ${file} copy\nls copy\n`;
    const sftp = ["sftp", "-F", config, "-b", "-", "-o", `User="${name}"`, "web1.qf.internal"];
    expect((await runProcess(sftp, { env, cwd: lab.root, stdin: batch })).exitCode).toBe(0);
    expect((await laptop.ssh([`${name}@web1`, "cat copy"])).stdout).toBe("content");
    const terminal = laptop.terminal(["ssh", `${name}@web1`]);
    await terminal.expect(/\$ $/);
    const { sshServer } = await setUp.agent.status();
    expect(sshServer.sessions.map(({ localUser }) => localUser)).toContain(name);
    terminal.type("exit\n");
    expect(await terminal.end()).toBe(0);
  });

  test("a shell is never asked about it", async () => {
    const mark = join(lab.root, "mark");
    for (const name of [`a'; touch ${mark}; '`, `a$(touch ${mark})`, "a`id`", "a;id"]) {
      expect((await laptop.ssh([`${name}@web1`, "true"])).exitCode).not.toBe(0);
      expect((await openssh(`${name}@web1.qf.internal`, "true")).exitCode).not.toBe(0);
    }
    expect(await Bun.file(mark).exists()).toBe(false);
  });
});
