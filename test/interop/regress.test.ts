/** OpenSSH's regression scripts: every one is accounted for, and the quick ones pass. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRoot } from "../support/os-accounts.ts";
import { DEBIAN_BUILD, openSshBuild } from "./openssh-build.ts";
import { runScripts } from "./regress.ts";
import { exceptionOf, HELPERS, NEWER_NOT_APPLICABLE, NOT_APPLICABLE, SCRIPTS } from "./scripts.ts";

const isHere = existsSync(DEBIAN_BUILD.regress);

test.skipIf(!isHere)("every script of the package is run, or there is a reason why not", () => {
  const files = readdirSync(DEBIAN_BUILD.regress).filter((name) => name.endsWith(".sh"));
  const run = SCRIPTS.flatMap(({ name, isNewer }) => (isNewer === true ? [] : [name]));
  const reasoned = Object.values(NOT_APPLICABLE)
    .flat()
    .filter((name) => !NEWER_NOT_APPLICABLE.includes(name));
  const known = [...run, ...reasoned, ...HELPERS];
  expect(files.map((name) => name.slice(0, -3)).sort()).toEqual(known.sort());
});

test.skipIf(!isHere || !isRoot).each([{ way: "direct" }, { way: "proxy" }] as const)(
  "the quick ones pass, $way",
  async ({ way }) => {
    const quick = SCRIPTS.filter(
      ({ isQuick, isProxied }) => isQuick === true && (way === "direct" || isProxied === true),
    );
    const outcomes = await runScripts(quick, { jobs: 4, way });
    expect(outcomes.filter(({ result }) => result === "failed")).toEqual([]);
    expect(outcomes).toHaveLength(quick.length);
  },
  180_000,
);

test("a newer build's scripts are each run, or there is a reason why not, never both", () => {
  const reasoned = Object.values(NOT_APPLICABLE).flat();
  const all = [...SCRIPTS.map(({ name }) => name), ...reasoned];
  expect(new Set(all).size).toBe(all.length);
  expect(NEWER_NOT_APPLICABLE.filter((name) => !reasoned.includes(name))).toEqual([]);
  const newer = SCRIPTS.flatMap(({ name, isNewer }) => (isNewer === true ? [name] : []));
  expect(newer).toEqual(["proxyjump", "sftp-resume", "ssh-tty"]);
});

test("a check that only Debian's script has is no exception of a newer build", () => {
  const named = (name: string) => SCRIPTS.find((script) => script.name === name) ?? { name };
  const excepted = ["rekey", "multiplex", "connect"].map((name) =>
    [true, false].map((isDebian) => exceptionOf(named(name), isDebian)?.times ?? 0),
  );
  expect(excepted).toEqual([
    [7, 0],
    [2, 2],
    [0, 0],
  ]);
});

describe.skipIf(!isHere)("the stand-in for ssh, where a script goes through the proxy", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "qf-shim-"));
    const write = (name: string, text: string) => writeFileSync(join(folder, name), `${text}\n`);
    copyFileSync(new URL("shim/ssh", import.meta.url), join(folder, "ssh"));
    chmodSync(join(folder, "ssh"), 0o755);
    write("settings", "ssh=/usr/bin/ssh");
    write("proxy-options", "Hostname there.example");
    write("proxy-preferences", "Ciphers ^aes256-gcm@openssh.com");
    write("ssh_proxy", "Host *\n  Hostname 127.0.0.1\n  User stock");
    write("ssh_proxy_ctr", "Host *\n  Ciphers aes128-ctr");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    { asks: "nothing", words: ["-F", "ssh_proxy"], ciphers: /^aes256-gcm@openssh\.com,/ },
    { asks: "by its file", words: ["-F", "ssh_proxy_ctr"], ciphers: /^aes128-ctr$/ },
    { asks: "by its file, in one word", words: ["-Fssh_proxy_ctr"], ciphers: /^aes128-ctr$/ },
    { asks: "by a word", words: ["-oCiphers=aes256-ctr", "-F", "ssh_proxy"], ciphers: /^aes256-ctr$/ },
  ])("a script that asks $asks has the ciphers it wants", ({ words, ciphers }) => {
    const args = words.map((word) => word.replace("ssh_proxy", join(folder, "ssh_proxy")));
    const result = Bun.spawnSync([join(folder, "ssh"), "-G", ...args, "-S", "none", "somehost"]);
    const said = result.stdout.toString();
    expect(/^ciphers (.*)$/m.exec(said)?.[1]).toMatch(ciphers);
    expect(said).toMatch(/^hostname there\.example$/m);
  });
});

describe("OPENSSH, the folder of a build", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "qf-openssh-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("one that is not built is refused, with what it lacks", () => {
    mkdirSync(join(folder, "sources/regress"), { recursive: true });
    writeFileSync(join(folder, "sources/regress/test-exec.sh"), "");
    expect(() => openSshBuild(join(folder, "sources"))).toThrow(
      /it lacks ssh, scp, .*regress\/check-perm, config\.h$/,
    );
    expect(() => openSshBuild(join(folder, "nowhere"))).toThrow(/it lacks /);
  });

  test("a built one gives its own programs and scripts, under the version that its ssh says", () => {
    const built = join(folder, "built");
    mkdirSync(join(built, "regress"), { recursive: true });
    const programs = ["scp", "sftp", "ssh-add", "ssh-agent", "ssh-keygen", "ssh-keyscan"];
    const helpers = ["netcat", "modpipe", "mkdtemp", "setuid-allowed", "check-perm"];
    for (const name of ["ssh", ...programs, ...helpers.map((helper) => `regress/${helper}`)]) {
      writeFileSync(join(built, name), "#!/bin/sh\necho 'OpenSSH_10.3p1, OpenSSL 3' >&2\n");
      chmodSync(join(built, name), 0o755);
    }
    for (const name of ["config.h", "regress/test-exec.sh"]) writeFileSync(join(built, name), "");
    const build = openSshBuild(built);
    expect(build).toMatchObject({ version: "OpenSSH_10.3p1", ssh: join(built, "ssh") });
    expect(Object.values(build.programs).sort()).toEqual(programs.map((name) => join(built, name)));
  });

  test.skipIf(!isHere)("without one, or with an empty word, it is Debian's", () => {
    expect([openSshBuild(undefined), openSshBuild("")]).toEqual([DEBIAN_BUILD, DEBIAN_BUILD]);
  });
});

test("docs/openssh.md counts what RESULTS.md says of each script", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const rows = read("RESULTS.md").match(/^\| (?!script ).+$/gm) ?? [];
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const count = (column: number, result: string) =>
    cells
      .filter((cell) => cell[column] === result)
      .reduce((sum, [, names = ""]) => sum + names.split(",").length, 0);
  const page = read("../../docs/openssh.md");
  for (const [label, result] of [
    ["passed whole", "passed"],
    ["passed in part", "passed in part"],
    ["failing", "failed"],
  ] as const)
    expect(page).toContain(`| ${label} | ${count(2, result)} | ${count(3, result)} |`);
  expect(page).toContain(`| not applicable | ${count(2, "not applicable")} | `);
});
