/** The drop-in for Windows, its words read back by the ssh(1) that is here. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { platformFor } from "../../../src/base/platform/platform.ts";
import { parseDialledName } from "../../../src/client/peer-name.ts";
import { withInclude } from "../../../src/proxy/ssh-config/config-file.ts";
import { renderDropIn } from "../../../src/proxy/ssh-config/drop-in.ts";
import { isOurs, parseEffective, weakenedOptions } from "../../../src/proxy/ssh-config/effective.ts";
import { configWord } from "../../../src/proxy/ssh-config/windows-drop-in.ts";
import { HOSTILE_NAMES } from "../../support/hostile-names.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const WINDOWS = platformFor("win32");
const dropIn = {
  executable: "C:\\Program Files\\QuFabric\\qf.exe",
  domain: "qf.internal",
  configDir: "C:\\Users\\Ada Lovelace\\.config\\qufabric",
  shortNames: false,
};
const text = renderDropIn(dropIn, WINDOWS);

function sshG(config: string, ...args: string[]) {
  const folder = tempFolder();
  writeFileSync(join(folder, "config"), config);
  const result = Bun.spawnSync(["ssh", "-G", "-F", join(folder, "config"), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder },
    stdin: "ignore",
  });
  return { status: result.exitCode, effective: parseEffective(result.stdout.toString()) };
}

test.each(["web1.qf.internal", "WEB1.QF.internal", "100.64.0.1", "100.99.9.9", "100.127.255.254"])(
  "%s is a peer, and spaces and backslashes arrive as they are",
  (host) => {
    const { effective } = sshG(text, host);
    expect(isOurs(effective)).toBe(true);
    expect(weakenedOptions(effective, WINDOWS)).toEqual({ needed: [], hostKeys: [], wanted: [] });
    const command = `"${dropIn.executable}" proxy connect --config-dir "${dropIn.configDir}" %h %p`;
    expect(effective.get("proxycommand")).toEqual([command]);
    const keys = "C:/Users/Ada Lovelace/.config/qufabric/openssh";
    expect(effective.get("identityfile")).toEqual([`${keys}/%h`]);
    expect(effective.get("userknownhostsfile")).toEqual([`${keys}/${host.toLowerCase()}_known`]);
  },
);

test.each([
  "github.com",
  "qf.internal.example.com",
  "web1",
  "10.0.0.1",
  "100.63.0.1",
  "100.6.0.1",
  "100.128.0.1",
  "100.130.0.1",
  "100.64.example.com",
  "100.127.0.x",
])("%s is nobody's peer", (host) => {
  expect(sshG(text, host).effective).toEqual(sshG("", host).effective);
});

// No pattern can name a star, a question mark or a double quote; `qf proxy connect` looks at the name again.
test("a hostile name is no peer's, or one that qf refuses, and never more than one word", () => {
  for (const name of HOSTILE_NAMES.filter((one) => !one.includes("\0"))) {
    for (const host of [name, `${name}.qf.internal`, `100.64.${name}`]) {
      if (!isOurs(sshG(text, "--", host).effective)) continue;
      expect(host).not.toMatch(/[ \\'`$%;&|<>()]/);
      expect([host, parseDialledName(host)]).toEqual([host, undefined]);
    }
  }
}, 60_000);

test("no shell is between ssh and qf", () => {
  expect(text).not.toMatch(/\bexec\b|KnownHostsCommand|cmd(?:\.exe)?\b/i);
});

test("the drop-in is included from a path with spaces, by slashes", () => {
  const folder = tempFolder();
  const below = join(folder, ".ssh/C:/Users/Ada Lovelace/.config/qufabric");
  mkdirSync(below, { recursive: true, mode: 0o700 });
  writeFileSync(join(below, "ssh_config"), text, { mode: 0o600 });
  const config = withInclude(
    "Host other\n",
    configWord("C:\\Users\\Ada Lovelace\\.config\\qufabric\\ssh_config"),
  );
  expect(config).toContain('Include "C:/Users/Ada Lovelace/.config/qufabric/ssh_config"\n');
  // Where that is no absolute path it is one below ~/.ssh, which ssh takes from the account.
  const anchored = config.replace("C:/", `${folder}/.ssh/C:/`);
  expect(isOurs(sshG(anchored, "web1.qf.internal").effective)).toBe(true);
});

test.each([
  "\\\\server\\share\\qf.exe",
  "C:qf.exe",
  "qf.exe",
  "/usr/bin/qf",
  'C:\\a"b\\qf.exe',
  "C:\\a%b\\qf.exe",
  "C:\\a$b\\qf.exe",
  "C:\\a[b]\\qf.exe",
  "C:\\a*\\qf.exe",
  "C:\\a\nb\\qf.exe",
  "C:\\a'b\\qf.exe",
  "C:\\a\\",
])("the path %p is refused", (path) => {
  const refused = "cannot hold safely";
  expect(() => renderDropIn({ ...dropIn, executable: path }, WINDOWS)).toThrow(refused);
  expect(() => renderDropIn({ ...dropIn, configDir: path }, WINDOWS)).toThrow(refused);
});

test.each(["D:\\qf.exe", "C:\\Program Files (x86)\\qf.exe", "C:/Users/Jörg/qf.exe", "c:\\ADALOV~1\\qf.exe"])(
  "the path %p is taken",
  (path) => {
    expect(renderDropIn({ ...dropIn, executable: path }, WINDOWS)).toContain(
      `"${path.replaceAll("/", "\\")}" `,
    );
  },
);

test("short names are refused, since nobody can be asked about them there", () => {
  expect(() => renderDropIn({ ...dropIn, shortNames: true }, WINDOWS)).toThrow("short names");
});

test("an option set before its lines is told, as elsewhere", () => {
  const weak = (line: string) =>
    weakenedOptions(sshG(`${line}\n${text}`, "web1.qf.internal").effective, WINDOWS);
  expect(weak("AddKeysToAgent yes").needed).toEqual(["AddKeysToAgent"]);
  expect(weak("StrictHostKeyChecking no").hostKeys).toEqual(["StrictHostKeyChecking"]);
  expect(weak("PasswordAuthentication yes").wanted).toEqual(["PasswordAuthentication"]);
});
