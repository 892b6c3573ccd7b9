/**
 * install.sh as people run it: piped from a real management server, under each shell, on machines that lack
 * this and that. The executable is a stand-in; `make test-install` installs real ones.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { isRoot } from "../support/os-accounts.ts";
import { aReleaseKey, type ReleaseKey, signatureOf, writeRelease } from "../support/release.ts";
import { type RunResult, runProcess } from "../support/run-process.ts";
import { startTestManagement, type TestManagement } from "../support/running-management.ts";
import { tempFolder } from "../support/temp-folder.ts";

const SCRIPT = resolve(import.meta.dir, "../../install.sh");
const SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "ash"]];
const DASH = SHELLS[0] ?? [];
/** Exits of `stop` and `mistake`. */
const STOPPED = 1;
const MISTAKEN = 2;

let management: TestManagement;
let releases: string;
let key: ReleaseKey;
let script: string;

beforeAll(async () => {
  const folder = tempFolder();
  key = aReleaseKey(folder);
  releases = join(folder, "releases");
  writeRelease({ folder: releases, version: "1.0.0", key });
  writeRelease({ folder: releases, version: "1.1.0", key });
  management = await startTestManagement(join(folder, "data"), {
    releases,
    releaseKeys: [key.publicKey],
    executable: null,
  });
  script = await (await fetch(`${management.url}/install.sh`)).text();
});

afterAll(() => management.close());

interface Machine {
  readonly prefix: string;
  readonly home: string;
  run(
    args?: readonly string[],
    more?: { shell?: readonly string[]; env?: Record<string, string>; text?: string },
  ): Promise<RunResult>;
  /** Calls of `qf agent`, with the key that each was given. */
  calls(): string[];
  /** Everything below the prefix. */
  files(): string[];
}

function aMachine(path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"): Machine {
  const home = tempFolder();
  const prefix = join(home, "prefix");
  return {
    prefix,
    home,
    run: (args = [], { shell = DASH, env = {}, text = script } = {}) =>
      runProcess([...shell, "-s", "--", ...args], {
        env: { PATH: path, HOME: home, QF_PREFIX: prefix, TMPDIR: home, ...env },
        stdin: text,
      }),
    calls: () => readTextOr(join(prefix, "log")).split("\n").filter(Boolean),
    files: () =>
      readdirSync(home, { recursive: true, encoding: "utf8" }).filter((name) => name.startsWith("p")),
  };
}

function readTextOr(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** A folder of programs: links to those of the system, without some, and with some of busybox. */
function programs(change: { without?: readonly string[]; busybox?: readonly string[] }): string {
  const folder = tempFolder();
  chmodSync(folder, 0o755);
  for (const from of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    for (const name of readdirSync(from)) {
      const path = join(folder, name);
      if (!(change.without ?? []).includes(name) && !existsSync(path)) linkOnce(join(from, name), path);
    }
  }
  for (const name of change.busybox ?? []) {
    rmSync(join(folder, name), { force: true });
    symlinkSync("/bin/busybox", join(folder, name));
  }
  return folder;
}

function linkOnce(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch {
    // A dangling link of the same name is there already.
  }
}

describe("the script", () => {
  test("is clean by shellcheck", async () => {
    const result = await runProcess(["shellcheck", "--shell=sh", "--severity=style", SCRIPT], {
      env: { PATH: process.env.PATH ?? "" },
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("names the configured address whatever a request names, and the keys", async () => {
    const other = await fetch(`${management.url}/install.sh`, { headers: { host: "192.0.2.66" } });
    expect(other.headers.get("content-type")).toStartWith("text/plain");
    expect(script).toContain(`  QF_URL='${management.url}'\n`);
    expect(script).toContain(`  QF_RELEASE_KEYS='${key.publicKey}'\n`);
    expect(await other.text()).toBe(script);
  });

  test.each(SHELLS)(
    "cut anywhere runs nothing (%s)",
    async (...shell) => {
      const machine = aMachine();
      const step = Math.ceil(script.length / 60);
      const ends = Array.from({ length: 60 }, (_, at) => at * step);
      const last = Array.from({ length: 30 }, (_, back) => script.trimEnd().length - 1 - back);
      for (const end of [...ends, ...last].filter((at) => at < script.trimEnd().length)) {
        await machine.run(["--version", "1.0.0"], { shell, text: script.slice(0, end) });
      }
      expect(machine.files()).toEqual([]);
    },
    60_000,
  );
});

describe.each(SHELLS)("under %s %s", (...words) => {
  const shell = words.filter((word) => typeof word === "string");

  test("installs, joins with the key in the environment alone, again, and leaves nothing", async () => {
    const machine = aMachine();
    const env = { QF_SETUP_KEY: "qfs_secret" };
    const first = await machine.run(["--allow-server-ssh", "--name", "web 1"], { shell, env });
    expect(first).toMatchObject({ exitCode: 0 });
    const up = `agent up --management-url ${management.url} --allow-server-ssh --name web 1 key=qfs_secret`;
    expect(machine.calls()).toEqual([up]);
    expect(readlinkSync(join(machine.prefix, "bin/qufabric"))).toBe("qf");
    expect(statSync(join(machine.prefix, "bin/qf")).mode & 0o777).toBe(0o755);
    expect(statSync(join(machine.prefix, "share/man/man1/qf.1")).mode & 0o004).toBe(0o004);
    const made = machine.files();
    expect(made).toContain("prefix/share/bash-completion/completions/qf");
    expect(made).toContain("prefix/share/zsh/site-functions/_qf");
    expect(made).toContain("prefix/share/fish/vendor_completions.d/qf.fish");
    expect(made).toContain("prefix/share/fish/vendor_completions.d/qufabric.fish");

    const second = await machine.run(["--allow-server-ssh"], { shell, env });
    expect(second).toMatchObject({ exitCode: 0 });
    expect(second.stderr).toContain("already");
    expect(machine.files()).toEqual(made);

    for (const left of [".qf-aaaaaaaaaaaaaaaaaaaa.new", ".qf-aaaaaaaaaaaaaaaaaaaa.previous", ".qf.abcdef"]) {
      writeFileSync(join(machine.prefix, "bin", left), "killed");
    }
    const config = join(machine.home, ".config");
    for (const folder of ["qufabric", "other"]) {
      mkdirSync(join(config, folder), { recursive: true });
      writeFileSync(join(config, folder, "config.json"), "{}");
    }
    const gone = await machine.run(["--uninstall"], { shell });
    expect(gone).toMatchObject({ exitCode: 0 });
    expect(machine.calls().at(-1)).toBe("agent down --uninstall key=");
    rmSync(join(machine.prefix, "log"));
    expect(machine.files().sort()).toEqual(["prefix", "prefix/bin", "prefix/share", "prefix/share/man"]);
    expect(readdirSync(config)).toEqual(["other"]);
    expect((await machine.run(["--uninstall"], { shell })).exitCode).toBe(0);
  });

  test("without a key and without flags it joins nothing, and says how", async () => {
    const machine = aMachine();
    const { exitCode, stderr } = await machine.run([], { shell });
    expect(exitCode).toBe(0);
    const qf = join(machine.prefix, "bin/qf");
    expect(stderr).toContain(`to sign in: ${qf} login --management-url ${management.url}`);
    expect(machine.calls()).toEqual([]);
  });

  test("a dry run changes nothing", async () => {
    const machine = aMachine();
    const { exitCode, stderr } = await machine.run(["--dry-run", "--allow-server-ssh"], { shell });
    expect(exitCode).toBe(0);
    expect(stderr).toContain("would install qf 1.1.0");
    expect(machine.files()).toEqual([]);
  });

  test("takes over from an older version, and goes back only when told", async () => {
    const machine = aMachine();
    expect((await machine.run(["--version", "1.0.0"], { shell })).exitCode).toBe(0);
    expect((await machine.run([], { shell })).exitCode).toBe(0);
    expect(readTextOr(join(machine.prefix, "bin/qf"))).toContain("qf 1.1.0");
    expect((await machine.run(["--version=1.0.0"], { shell })).exitCode).toBe(STOPPED);
    expect(readTextOr(join(machine.prefix, "bin/qf"))).toContain("qf 1.1.0");
    expect((await machine.run(["--version=1.0.0", "--allow-downgrade"], { shell })).exitCode).toBe(0);
    expect(readTextOr(join(machine.prefix, "bin/qf"))).toContain("qf 1.0.0");
  });

  test.each([
    { args: ["--version"], exit: MISTAKEN },
    { args: ["--version", "../1.0.0"], exit: MISTAKEN },
    { args: ["--version", "latest"], exit: MISTAKEN },
    { args: ["--version", "9.9.9"], exit: STOPPED },
    { args: ["--setup-key", "qfs_x"], exit: STOPPED },
    { args: ["--setup-key=qfs_x"], exit: STOPPED },
    { args: ["--management-url", "http://qf.example.com"], exit: STOPPED },
    { args: ["--management-url", "https://qf.example.com/$(id)"], exit: STOPPED },
    { args: ["--management-url", "ftp://127.0.0.1"], exit: STOPPED },
  ])("$args ends with $exit and installs nothing", async ({ args, exit }) => {
    const machine = aMachine();
    const { exitCode, stderr } = await machine.run(args, { shell });
    expect({ exitCode, error: stderr.split("\n")[0]?.slice(0, 10) }).toEqual({
      exitCode: exit,
      error: "qf: error:",
    });
    expect(machine.files()).toEqual([]);
  });
});

describe("what a dishonest or broken server offers", () => {
  const OLD = "1.0.0";
  const rows: readonly { readonly what: string; readonly change: (at: string) => void }[] = [
    {
      what: "a build that was cut",
      change: (at) => everyBuild(at, (bytes) => bytes.subarray(0, bytes.length / 2)),
    },
    { what: "a build with another digest", change: (at) => everyBuild(at, () => Buffer.from("#!/bin/sh\n")) },
    { what: "an empty build", change: (at) => everyBuild(at, () => Buffer.alloc(0)) },
    { what: "no build", change: (at) => everyBuild(at, () => null) },
    { what: "a signature by another key", change: (at) => resign(at, aReleaseKey(tempFolder())) },
    { what: "a signature in another namespace", change: (at) => resign(at, key, "file") },
    { what: "no signature", change: (at) => rmSync(join(at, "manifest.json.sig")) },
    { what: "an empty signature", change: (at) => writeFileSync(join(at, "manifest.json.sig"), "") },
    {
      what: "a manifest that was changed after it was signed",
      change: (at) => {
        const path = join(at, "manifest.json");
        writeFileSync(
          path,
          readFileSync(path, "utf8").replace(/"lowestFrom": "[^"]*"/, '"lowestFrom": "0.0.1"'),
        );
      },
    },
    {
      what: "an old release under a new name",
      change: (at) => {
        for (const name of readdirSync(join(releases, OLD))) {
          writeFileSync(join(at, name), readFileSync(join(releases, OLD, name)));
        }
      },
    },
    { what: "an expired release", change: (at) => rewrite(at, { expiry: "2026-01-01T00:00:00Z" }) },
    { what: "a withdrawn release", change: (at) => rewrite(at, { withdrawn: [OLD, versionOf(at)] }) },
    { what: "a release without a build for this machine", change: (at) => rewrite(at, { targets: {} }) },
  ];
  let next = 0;

  /** Without openssl, ssh-keygen checks the signature, and the other way round. */
  const checkers = [
    { by: "ssh-keygen", without: ["openssl"] },
    { by: "openssl", without: ["ssh-keygen"] },
  ];
  const paths = new Map<string, string>();
  beforeAll(() => {
    for (const { by, without } of checkers) paths.set(by, programs({ without }));
  });

  function offered(change?: (at: string) => void): string {
    next += 1;
    const version = `0.9.${next}`;
    writeRelease({ folder: releases, version, key });
    change?.(join(releases, version));
    return version;
  }

  test.each(checkers)("a release as it should be is installed, checked by $by", async ({ by }) => {
    const machine = aMachine(paths.get(by));
    expect(await machine.run(["--version", offered()])).toMatchObject({ exitCode: 0 });
  });

  test.each(checkers.flatMap(({ by }) => rows.map((row) => ({ by, ...row }))))(
    "$what is refused ($by)",
    async ({ by, change }) => {
      const machine = aMachine(paths.get(by));
      const { exitCode, stderr } = await machine.run(["--version", offered(change)]);
      expect(exitCode).toBe(STOPPED);
      expect(stderr).toMatch(/^qf: error: /m);
      expect(machine.files().filter((name) => /bin\/./.test(name))).toEqual([]);
    },
  );

  test("a version that cannot be taken over from is refused, naming the one between", async () => {
    const machine = aMachine();
    await machine.run(["--version", "1.0.0"]);
    writeRelease({ folder: releases, version: "1.0.5", key, change: { lowestFrom: "1.0.1" } });
    const { exitCode, stderr } = await machine.run(["--version", "1.0.5"]);
    expect(exitCode).toBe(STOPPED);
    expect(stderr).toContain("--version 1.0.1");
  });

  test("with --no-signature the digest still counts", async () => {
    const machine = aMachine();
    const unsigned = offered((at) => rmSync(join(at, "manifest.json.sig")));
    expect((await machine.run(["--version", unsigned, "--no-signature"])).exitCode).toBe(0);
    const damaged = offered((at) => everyBuild(at, () => Buffer.from("#!/bin/sh\n")));
    const before = readTextOr(join(machine.prefix, "bin/qf"));
    expect((await machine.run(["--version", damaged, "--no-signature"])).exitCode).toBe(STOPPED);
    expect(readTextOr(join(machine.prefix, "bin/qf"))).toBe(before);
  });

  test("a development build, whose server knows no key, wants that word", async () => {
    const text = script.replace(/QF_RELEASE_KEYS='[^']*'/, "QF_RELEASE_KEYS=''");
    const machine = aMachine();
    expect((await machine.run([], { text })).exitCode).toBe(STOPPED);
    expect(machine.files()).toEqual([]);
    expect((await machine.run(["--no-signature"], { text })).exitCode).toBe(0);
  });

  test("the next key counts as the present one does", async () => {
    const other = aReleaseKey(tempFolder());
    const keys = `QF_RELEASE_KEYS='${other.publicKey}\n${key.publicKey}'`;
    const text = script.replace(/QF_RELEASE_KEYS='[^']*'/, () => keys);
    for (const { by } of checkers) {
      expect(await aMachine(paths.get(by)).run([], { text })).toMatchObject({ exitCode: 0 });
    }
  });
});

describe("a server with too many downloads", () => {
  /** In front of the server: says so to the first `times` who ask for a build. */
  function crowded(times: number) {
    let left = times;
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (/\.(?:zst|gz)$/.test(pathname) && left-- > 0) {
          return new Response("{}", { status: 503, headers: { "retry-after": "5" } });
        }
        return fetch(`${management.url}${pathname}`, { decompress: false });
      },
    });
    return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
  }

  /** A machine whose `sleep` does not, and says for how long it was to. */
  function anImpatientMachine(without: readonly string[], busybox: readonly string[] = []) {
    const path = programs({ without: [...without, "sleep"], busybox: [...busybox] });
    writeFileSync(join(path, "sleep"), '#!/bin/sh\necho "slept $1" >&2\n', { mode: 0o755 });
    return aMachine(path);
  }

  test.each<[string, string[], string[]]>([
    ["curl", [], []],
    ["wget of GNU", ["curl"], []],
    ["wget of busybox", ["curl", "wget"], ["wget"]],
  ])("is asked again in a while: %s", async (_what, without, busybox) => {
    const server = crowded(2);
    try {
      const machine = anImpatientMachine(without, busybox);
      const { exitCode, stderr } = await machine.run(["--management-url", server.url]);
      expect(exitCode).toBe(0);
      expect(stderr.match(/^slept \d+$/gm)).toEqual(["slept 5", "slept 10"]);
    } finally {
      await server.stop();
    }
  });

  test("is given up after some minutes, and nothing is left", async () => {
    const server = crowded(1_000);
    try {
      const machine = anImpatientMachine([]);
      const { exitCode, stderr } = await machine.run(["--management-url", server.url]);
      expect(exitCode).toBe(STOPPED);
      expect(stderr.match(/^slept \d+$/gm)).toHaveLength(8);
      expect(machine.files().filter((name) => /bin\/./.test(name))).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

describe("machines that lack something", () => {
  test("no curl: wget", async () => {
    const machine = aMachine(programs({ without: ["curl"] }));
    expect(await machine.run()).toMatchObject({ exitCode: 0 });
  });

  test("a wget that checks no certificate brings nothing that is not signed either", async () => {
    const bare = aMachine(programs({ without: ["curl", "wget"], busybox: ["wget"] }));
    const args = ["--management-url", "https://127.0.0.1:1", "--no-signature"];
    const refused = await bare.run(args);
    expect(refused).toMatchObject({ exitCode: STOPPED });
    expect(refused.stderr).toContain("certificate");
    // Its neighbours get as far as the server: GNU's, and the same one for a release that is signed.
    const gnu = aMachine(programs({ without: ["curl"] }));
    for (const { stderr } of [await gnu.run(args), await bare.run(args.slice(0, 2))]) {
      expect(stderr).toContain("127.0.0.1:1");
      expect(stderr).not.toContain("certificate");
    }
  });

  test("no zstd: gzip", async () => {
    const machine = aMachine(programs({ without: ["zstd"] }));
    expect(await machine.run()).toMatchObject({ exitCode: 0 });
  });

  test("busybox for everything but ssh-keygen, as on Alpine", async () => {
    const busybox =
      "wget gzip sed grep mktemp head tail cut tr wc dd cmp cat date id uname mv rm rmdir ln mkdir";
    const more = "chmod dirname sha256sum readlink printf test sysctl";
    const path = programs({
      without: ["curl", "zstd", "openssl", "getconf"],
      busybox: `${busybox} ${more}`.split(" "),
    });
    const machine = aMachine(path);
    const shell = ["busybox", "ash"];
    expect(await machine.run(["--allow-server-ssh"], { shell })).toMatchObject({ exitCode: 0 });
    expect(machine.calls()).toHaveLength(1);
  });

  test("neither curl nor wget: says so", async () => {
    const machine = aMachine(programs({ without: ["curl", "wget"] }));
    const { exitCode, stderr } = await machine.run();
    expect(exitCode).toBe(STOPPED);
    expect(stderr).toContain("curl nor wget");
    expect(machine.files()).toEqual([]);
  });

  test("nothing to check a signature with: says what to install", async () => {
    const machine = aMachine(programs({ without: ["ssh-keygen", "openssl"] }));
    const { exitCode, stderr } = await machine.run();
    expect(exitCode).toBe(STOPPED);
    expect(stderr).toContain("--no-signature");
    expect(machine.files()).toEqual([]);
  });

  test("a processor that there is no build for", async () => {
    const path = programs({});
    rmSync(join(path, "uname"));
    writeFileSync(join(path, "uname"), '#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || echo Linux\n', {
      mode: 0o755,
    });
    const { exitCode, stderr } = await aMachine(path).run();
    expect({ exitCode, names: stderr.includes("riscv64") }).toEqual({ exitCode: STOPPED, names: true });
  });

  test.if(isRoot)("no root: into ~/.local, and says that it is not in the PATH", async () => {
    const home = tempFolder();
    chownSync(home, 65_534, 65_534);
    const drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const result = await runProcess([...drop, "dash", "-s"], {
      env: { PATH: "/usr/bin:/bin", HOME: home, TMPDIR: home },
      stdin: script,
      cwd: "/",
    });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain(`export PATH="${join(home, ".local/bin")}:$PATH"`);
    expect(statSync(join(home, ".local/bin/qf"))).toMatchObject({ uid: 65_534 });
  });

  const canMount = isRoot && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;
  test.if(canMount)("root installs to /usr/local, and says so where that is read-only", async () => {
    const mount = (options: string) => `mount -t tmpfs ${options} none /usr/local && exec dash -s`;
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: tempFolder() };
    const run = (command: string) =>
      runProcess(["unshare", "-m", "sh", "-c", command], { env, stdin: script });
    const written = await run(`${mount("")} && ls -l /usr/local/bin/qf`);
    expect(written).toMatchObject({ exitCode: 0 });
    const refused = await run(mount("-o ro"));
    expect(refused.exitCode).toBe(STOPPED);
    expect(refused.stderr).toContain("QF_PREFIX");
  });
});

function everyBuild(at: string, change: (bytes: Buffer) => Buffer | null): void {
  for (const name of readdirSync(at).filter((one) => one.startsWith("qf-"))) {
    const bytes = change(readFileSync(join(at, name)));
    if (bytes === null) rmSync(join(at, name));
    else writeFileSync(join(at, name), bytes);
  }
}

function resign(at: string, by: ReleaseKey, namespace?: string): void {
  const text = readFileSync(join(at, "manifest.json"), "utf8");
  writeFileSync(join(at, "manifest.json.sig"), signatureOf(text, by, namespace));
}

function rewrite(at: string, change: Parameters<typeof writeRelease>[0]["change"] & object): void {
  writeRelease({ folder: join(at, ".."), version: versionOf(at), key, change });
}

function versionOf(at: string): string {
  return at.split("/").at(-1) ?? "";
}

test("a folder for the script's files is made and removed again", async () => {
  const machine = aMachine();
  mkdirSync(join(machine.home, "t"));
  await machine.run([], { env: { TMPDIR: join(machine.home, "t") } });
  expect(readdirSync(join(machine.home, "t"))).toEqual([]);
});
