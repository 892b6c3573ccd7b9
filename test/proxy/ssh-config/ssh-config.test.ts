import { beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isQfError, type QfError } from "../../../src/base/errors.ts";
import type { Terminal } from "../../../src/client/terminal.ts";
import { withInclude, withoutInclude } from "../../../src/proxy/ssh-config/config-file.ts";
import { maybeInstallSshConfig } from "../../../src/proxy/ssh-config/offer-ssh-config.ts";
import {
  installSshConfig,
  removeSshConfig,
  type SshConfigOptions,
} from "../../../src/proxy/ssh-config/ssh-config.ts";
import { executablePath } from "../../support/executable.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let executable = "";
beforeAll(async () => {
  executable = await executablePath();
}, 60_000);

interface Home {
  readonly path: string;
  readonly config: string;
  readonly options: SshConfigOptions;
}

function aHome(): Home {
  const path = tempFolder();
  const environment = { PATH: process.env.PATH, HOME: path };
  return {
    path,
    config: join(path, ".ssh/config"),
    options: { environment, isSystem: false, shortNames: false, domain: "qf.internal", executable },
  };
}

function withConfig(home: Home, text: string | Uint8Array, mode = 0o600): void {
  mkdirSync(join(home.path, ".ssh"), { mode: 0o700 });
  writeFileSync(home.config, text, { mode });
}

async function failureOf(work: Promise<unknown>): Promise<QfError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isQfError(error)) return error;
  throw new Error(`no QfError but ${String(error)}`);
}

describe("a person's ssh_config", () => {
  test("is made when there is none, and gone again afterwards", async () => {
    const home = aHome();
    const installed = await installSshConfig(home.options);
    expect(installed).toMatchObject({ warnings: [], domain: "qf.internal", configPath: home.config });
    expect(statSync(home.config).mode & 0o777).toBe(0o600);
    expect(statSync(installed.path).mode & 0o777).toBe(0o600);
    expect(readFileSync(home.config, "utf8")).toContain(`\nInclude ${installed.path}\n`);
    expect(removeSshConfig(home.options)).toBe(true);
    expect(existsSync(join(home.path, ".ssh"))).toBe(false);
    expect(existsSync(installed.path)).toBe(false);
    expect(removeSshConfig(home.options)).toBe(false);
  });

  test.each([
    ["with a last line", "Host a\n  User b\n"],
    ["without a last newline", "Host a\n  User b"],
    ["with Windows line ends", "Host a\r\n  User b\r\n"],
    ["with bytes that are no UTF-8", Buffer.from("# \xff\xfe caf\xe9\nHost a\n", "latin1")],
    ["that is empty", ""],
  ])("%s is kept byte for byte, with its mode, and put back", async (_what, text) => {
    const home = aHome();
    withConfig(home, text, 0o640);
    const before = readFileSync(home.config);
    await installSshConfig(home.options);
    const during = readFileSync(home.config);
    expect(during.subarray(during.length - before.length).equals(before)).toBe(true);
    expect(during.toString("latin1").startsWith("# QuFabric: ")).toBe(true);
    expect(statSync(home.config).mode & 0o777).toBe(0o640);
    await installSshConfig(home.options);
    expect(readFileSync(home.config).equals(during)).toBe(true);
    removeSshConfig(home.options);
    expect(readFileSync(home.config).equals(before)).toBe(true);
    expect(readdirSync(join(home.path, ".ssh"))).toEqual(["config"]);
  });

  test("that others have touched since loses our two lines alone", () => {
    const ours = withInclude("Host a\n", "/x/y");
    const [mark, include] = ours.split("\n");
    expect(withoutInclude(`# new\n${ours}# more\n`).text).toBe("# new\nHost a\n# more\n");
    expect(withoutInclude(`${mark}\nHost b\n`).text).toBe(`${mark}\nHost b\n`);
    expect(withoutInclude(`Host a\n  ${include}\n`).text).toBe(`Host a\n  ${include}\n`);
  });

  test("leaves every other host as it was, with includes and matches of its own", async () => {
    const home = aHome();
    withConfig(
      home,
      `Include more\nHost x\n  Port 99\nMatch user nobody\n  Port 98\nHost *\n  ForwardAgent yes\n`,
    );
    writeFileSync(join(home.path, ".ssh/more"), "Host y\n  User z\n");
    expect((await installSshConfig(home.options)).warnings).toEqual([]);
  });

  test("that is a link, or somebody could write, is refused with the reason and left alone", async () => {
    const linked = aHome();
    mkdirSync(join(linked.path, ".ssh"));
    writeFileSync(join(linked.path, "real"), "Host a\n");
    symlinkSync(join(linked.path, "real"), linked.config);
    expect((await failureOf(installSshConfig(linked.options))).message).toContain("is a symbolic link");
    expect(readFileSync(join(linked.path, "real"), "utf8")).toBe("Host a\n");
    expect(existsSync(join(linked.path, ".config/qufabric/ssh_config"))).toBe(false);
    const open = aHome();
    withConfig(open, "Host a\n");
    chmodSync(open.config, 0o666);
    expect((await failureOf(installSshConfig(open.options))).code).toBeOneOf(["ERR_PERMISSION", "ERR_SSH"]);
    expect(readFileSync(open.config, "utf8")).toBe("Host a\n");
  });

  test("that ssh does not take is not touched", async () => {
    const home = aHome();
    withConfig(home, "Bogus option\n");
    expect((await failureOf(installSshConfig(home.options))).message).toContain("does not take");
    expect(readFileSync(home.config, "utf8")).toBe("Bogus option\n");
    expect(existsSync(join(home.path, ".config/qufabric/ssh_config"))).toBe(false);
  });

  test("is put back when ssh does not take ours", async () => {
    const home = aHome();
    withConfig(home, "Host a\n");
    const old = join(home.path, "old-ssh");
    writeFileSync(old, '#!/bin/sh\nif grep -q QuFabric "$3"; then exit 255; fi\nexec ssh "$@"\n', {
      mode: 0o755,
    });
    const error = await failureOf(installSshConfig({ ...home.options, ssh: old }));
    expect(error.message).toContain("does not take the configuration");
    expect(readFileSync(home.config, "utf8")).toBe("Host a\n");
    expect(existsSync(join(home.path, ".config/qufabric/ssh_config"))).toBe(false);
  });

  test("in another config folder names that folder to every command", async () => {
    const home = aHome();
    const configDir = join(home.path, "my qf");
    const environment = { ...home.options.environment, QF_CONFIG_DIR: configDir };
    const installed = await installSshConfig({ ...home.options, environment });
    expect(readFileSync(home.config, "utf8")).toContain(`Include "${installed.path}"`);
    expect(readFileSync(installed.path, "utf8")).toContain(
      `connect --fdpass --config-dir '${configDir}' '%h'`,
    );
    expect(removeSshConfig({ ...home.options, environment })).toBe(true);
  });

  test("another file in the drop-in's place is left alone", async () => {
    const home = aHome();
    mkdirSync(join(home.path, ".config/qufabric"), { recursive: true, mode: 0o700 });
    const path = join(home.path, ".config/qufabric/ssh_config");
    writeFileSync(path, "Host mine\n");
    expect((await failureOf(installSshConfig(home.options))).code).toBe("ERR_CONFLICT");
    expect(readFileSync(path, "utf8")).toBe("Host mine\n");
  });
});

describe.skipIf(!isRoot)("the machine's ssh_config", () => {
  function aSystem(text: string) {
    const folder = tempFolder();
    mkdirSync(join(folder, "ssh_config.d"));
    writeFileSync(join(folder, "ssh_config"), text.replaceAll("HERE", folder));
    writeFileSync(join(folder, "qf"), `#!/bin/sh\nexec ${executable} "$@"\n`, { mode: 0o755 });
    const options = {
      ...aHome().options,
      isSystem: true,
      systemFolder: folder,
      executable: join(folder, "qf"),
    };
    return { folder, options, path: join(folder, "ssh_config.d/99-qufabric.conf") };
  }

  test("gets one file for everybody, and loses it again", async () => {
    const { options, path } = aSystem(
      "Include HERE/ssh_config.d/*.conf\nHost *\n  GSSAPIAuthentication yes\n",
    );
    const installed = await installSshConfig(options);
    expect(installed).toMatchObject({ path, warnings: [] });
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readFileSync(path, "utf8")).toContain("{HOME}/.config/qufabric/openssh/%h");
    expect(removeSshConfig(options)).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  test("says which earlier line weakens what, and what comes of it", async () => {
    const { folder, options } = aSystem("Include HERE/ssh_config.d/*.conf\n");
    writeFileSync(join(folder, "ssh_config.d/10-lax.conf"), "Host *\n  StrictHostKeyChecking no\n");
    const { warnings } = await installSshConfig(options);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("sets StrictHostKeyChecking: qf, not ssh, checks the host keys");
  });

  test("that includes no drop-ins is left alone, with the reason", async () => {
    const { options, path } = aSystem("Host *\n  Port 22\n");
    expect((await failureOf(installSshConfig(options))).message).toContain("does not include the drop-in");
    expect(existsSync(path)).toBe(false);
  });

  test("never runs a program that others than root can change", async () => {
    const { folder, options } = aSystem("Include HERE/ssh_config.d/*.conf\n");
    chmodSync(join(folder, "qf"), 0o777);
    expect((await failureOf(installSshConfig(options))).code).toBe("ERR_PERMISSION");
  });
});

describe("maybeInstallSshConfig", () => {
  function aTerminal(answer: string) {
    const said: string[] = [];
    const terminal: Terminal = {
      say: (line) => void said.push(line),
      canAsk: () => true,
      ask: async (prompt) => {
        said.push(prompt);
        return answer;
      },
    };
    return { said, terminal };
  }
  const offer = (home: Home, answer: string, extra: Record<string, string> = {}) => {
    const { said, terminal } = aTerminal(answer);
    const environment = { ...home.options.environment, ...extra };
    const about = { occasion: "login", domain: "qf.internal", environment, terminal } as const;
    return maybeInstallSshConfig({ ...about, change: { executable } }).then((done) => ({ done, said }));
  };

  test("asks a person once, and does it on yes", async () => {
    const home = aHome();
    const { done, said } = await offer(home, "");
    expect(done?.configPath).toBe(home.config);
    expect(said).toHaveLength(1);
  });

  test("remembers a no", async () => {
    const home = aHome();
    mkdirSync(join(home.path, ".config/qufabric"), { recursive: true, mode: 0o700 });
    expect((await offer(home, "n")).done).toBeUndefined();
    expect((await offer(home, "y")).said).toEqual([]);
    expect(existsSync(home.config)).toBe(false);
  });

  test("does nothing, and asks nothing, where QF_DISABLE_SSH_CONFIG=1", async () => {
    const home = aHome();
    expect(await offer(home, "y", { QF_DISABLE_SSH_CONFIG: "1" })).toEqual({ done: undefined, said: [] });
    expect(existsSync(home.config)).toBe(false);
  });

  test("says why it could not, and fails nothing", async () => {
    const home = aHome();
    withConfig(home, "Bogus option\n");
    const { done, said } = await offer(home, "y");
    expect(done).toBeUndefined();
    expect(said.join("\n")).toContain("ssh was not set up");
  });
});
