/** The drop-in read back by the real ssh(1). */
import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { platformFor } from "../../../src/base/platform/platform.ts";
import { type DropIn, renderDropIn } from "../../../src/proxy/ssh-config/drop-in.ts";
import { isOurs, parseEffective, weakenedOptions } from "../../../src/proxy/ssh-config/effective.ts";
import { SHORT_NAMES_FILE } from "../../../src/proxy/ssh-config/match.ts";
import { executablePath } from "../../support/executable.ts";
import { HOSTILE_NAMES } from "../../support/hostile-names.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const dropIn: DropIn = {
  executable: "/usr/bin/qf",
  domain: "qf.internal",
  configDir: undefined,
  shortNames: false,
};

function sshG(folder: string, config: string, ...args: string[]) {
  const path = join(folder, "config");
  writeFileSync(path, config);
  const result = Bun.spawnSync(["ssh", "-G", "-F", path, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder },
    stdin: "ignore",
  });
  return { status: result.exitCode, effective: parseEffective(result.stdout.toString()) };
}

describe("the drop-in", () => {
  test("is nothing to other hosts, and what we want to peers", async () => {
    const folder = tempFolder();
    const config = renderDropIn({ ...dropIn, executable: await executablePath() });
    for (const host of ["github.com", "example.qf.internal.com", "10.0.0.1", "100.63.0.1", "web1"]) {
      expect(sshG(folder, config, host).effective).toEqual(sshG(folder, "", host).effective);
    }
    for (const host of ["web1.qf.internal", "WEB1.qf.internal", "100.64.0.1", "100.127.9.9"]) {
      const { effective } = sshG(folder, config, host);
      expect(isOurs(effective)).toBe(true);
      expect(weakenedOptions(effective)).toEqual({ needed: [], hostKeys: [], wanted: [] });
    }
  });

  // ssh would run KnownHostsCommand once more to put them into the order of known keys.
  test("has ssh use its own algorithms of host keys, as a list that it does not put into another order", () => {
    const folder = tempFolder();
    const text = renderDropIn({ ...dropIn, executable: "/bin/true" });
    expect(text).toMatch(/^ {2}HostKeyAlgorithms \^/m);
    const algorithms = (config: string) =>
      sshG(folder, config, "web1.qf.internal").effective.get("hostkeyalgorithms");
    expect(algorithms(text)).toEqual(algorithms(""));
  });

  // An ssh that was built without something says so at every connection, for the mere name of its option.
  test("has no option that is there in some builds of ssh only", () => {
    const optional = /gssapi|kerberos|pkcs11|securitykey|smartcard|xmss|keychain/i;
    const text = renderDropIn({ ...dropIn, shortNames: true });
    const options = text.split("\n").flatMap((line) => /^ {2}(\w+) /.exec(line)?.[1] ?? []);
    expect(options.length).toBeGreaterThan(15);
    expect(options.filter((option) => optional.test(option))).toEqual([]);
  });

  test("takes short names only when asked to, and only confirmed ones", async () => {
    const folder = tempFolder();
    const executable = await executablePath();
    const keys = join(folder, ".config/qufabric/openssh");
    mkdirSync(keys, { recursive: true });
    writeFileSync(join(keys, SHORT_NAMES_FILE), "web1.qf.internal\n");
    const isPeer = (shortNames: boolean, host: string) =>
      isOurs(sshG(folder, renderDropIn({ ...dropIn, executable, shortNames }), host).effective);
    expect(isPeer(false, "web1")).toBe(false);
    expect(isPeer(true, "web1")).toBe(true);
    expect(isPeer(true, "gitlab")).toBe(false);
    expect(isPeer(true, "gitlab.example.com")).toBe(false);
    expect(isPeer(true, "web1.qf.internal")).toBe(true);
  });

  test("lets no host or user name be anything but itself", async () => {
    const folder = tempFolder();
    const config = renderDropIn({ ...dropIn, executable: await executablePath(), shortNames: true });
    const before = readdirSync(folder);
    for (const name of HOSTILE_NAMES.filter((text) => !text.includes("\0"))) {
      for (const host of [name, `${name}.qf.internal`, `a${name}b.qf.internal`, `100.64.${name}`]) {
        const { effective } = sshG(folder, config, "--", host);
        expect([host, isOurs(effective)]).toEqual([host, false]);
      }
      const asUser = sshG(folder, config, "-l", name, "web1.qf.internal");
      expect(asUser.status !== 0 || isOurs(asUser.effective)).toBe(true);
    }
    expect(readdirSync(folder).filter((name) => !before.includes(name) && name !== "config")).toEqual([]);
  }, 120_000);

  // Newer ssh(1) refuses such a name on its command line before it reads us; by another way it still comes
  // here.
  test.each([..."'$/\\`!%;&|<>(){}~ "])("has a pattern that lets no %p through to a shell", (character) => {
    const config = renderDropIn({ ...dropIn, executable: "/usr/bin/true", shortNames: true });
    const ask = (text: string) =>
      sshG(tempFolder(), config, "-o", `HostName="a${text}b.qf.internal"`, "x").effective;
    const asWritten = { "\\": "\\\\", "%": "%%" }[character] ?? character;
    // Twice, so that quotes are in pairs and no shell fails over them.
    const effective = ask(`${asWritten}${asWritten}`);
    expect(effective.get("hostname")).toEqual([`a${character}${character}b.qf.internal`]);
    expect(isOurs(effective)).toBe(false);
    expect(isOurs(ask("-"))).toBe(true);
  });

  test("is nothing to whatever is no plain name, of any characters at all", async () => {
    const folder = tempFolder();
    const config = renderDropIn({ ...dropIn, executable: await executablePath(), shortNames: true });
    const before = readdirSync(folder);
    const piece = fc.constantFrom(
      ..."$`;|&'\"\\\n\r\t ,*?!%~/-={}()<>#@:[]^+.aZ9é\u202e",
      ...["touch MARK", "$(touch MARK)", "%h", "qf.internal", ".qf.internal", "100.64.0.1", "web1"],
    );
    const name = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(name, (host) => {
        for (const asked of [host, `${host}.qf.internal`]) {
          const { effective } = sshG(folder, config, "--", asked);
          if (isOurs(effective)) expect(asked).toMatch(/^(?:[^@]*@)?[A-Za-z0-9.-]+$/);
        }
      }),
      { numRuns: 60 },
    );
    expect(readdirSync(folder).filter((file) => !before.includes(file) && file !== "config")).toEqual([]);
  }, 120_000);

  test("quotes paths with spaces and percent signs for ssh and for the shell", async () => {
    const folder = tempFolder();
    const odd = join(folder, "my 100% %h tools");
    mkdirSync(odd);
    const executable = join(odd, "qf");
    symlinkSync(await executablePath(), executable);
    const config = renderDropIn({ ...dropIn, executable, configDir: join(odd, "c f") });
    const { effective } = sshG(folder, config, "web1.qf.internal");
    expect(isOurs(effective)).toBe(true);
    expect(existsSync(join(folder, "my"))).toBe(false);
  });

  test.each([
    ["/opt/it's/qf"],
    ['/opt/"x"/qf'],
    ["/opt/$(x)/qf"],
    ["/opt/`x`/qf"],
    ["/opt/a\nb/qf"],
    ["/opt/a;b/qf"],
    ["/opt/*/qf"],
    ["/opt/\\/qf"],
    ["/opt/é/qf"],
    ["opt/qf"],
    ["qf"],
  ])("refuses to name %p", (path) => {
    expect(() => renderDropIn({ ...dropIn, executable: path })).toThrow("cannot hold safely");
    expect(() => renderDropIn({ ...dropIn, configDir: path })).toThrow("cannot hold safely");
  });

  test.each(HOSTILE_NAMES)("refuses the domain %p", (name) => {
    for (const domain of [name, `${name}.internal`, `qf.${name}`]) {
      expect(() => renderDropIn({ ...dropIn, domain })).toThrow("not a DNS name");
    }
  });
});

test("an earlier line that weakens an option is found by its name", () => {
  const folder = tempFolder();
  copyFileSync("/bin/true", join(folder, "qf"));
  const own = renderDropIn({ ...dropIn, executable: join(folder, "qf") });
  const weak = (line: string) =>
    weakenedOptions(sshG(folder, `${line}\n${own}`, "web1.qf.internal").effective);
  for (const line of [
    "StrictHostKeyChecking no",
    "StrictHostKeyChecking accept-new",
    "VerifyHostKeyDNS yes",
  ]) {
    const [name] = line.split(" ");
    expect(weak(line)).toEqual({ needed: [], hostKeys: [name ?? ""], wanted: [] });
  }
  expect(weak("StrictHostKeyChecking ask").hostKeys).toEqual(["StrictHostKeyChecking"]);
  expect(weak("UserKnownHostsFile ~/.ssh/known_hosts").hostKeys).toEqual(["UserKnownHostsFile"]);
  expect(weak("GlobalKnownHostsFile /etc/ssh/known").hostKeys).toEqual(["GlobalKnownHostsFile"]);
  expect(weak("UserKnownHostsFile /dev/null").hostKeys).toEqual([]);
  expect(weak("KnownHostsCommand /bin/cat /tmp/keys").needed).toEqual(["KnownHostsCommand"]);
  expect(weak("AddKeysToAgent yes").needed).toEqual(["AddKeysToAgent"]);
  expect(weak("ProxyUseFdpass no").needed).toEqual(["ProxyUseFdpass"]);
  expect(weak("PasswordAuthentication yes")).toEqual({
    needed: [],
    hostKeys: [],
    wanted: ["PasswordAuthentication"],
  });
});

test("where a connection cannot be handed over its bytes are carried", () => {
  const text = renderDropIn(dropIn, platformFor("darwin"));
  expect(text).toContain("ProxyUseFdpass no");
  expect(text).not.toContain("--fdpass");
  expect(renderDropIn(dropIn, platformFor("linux"))).toContain("ProxyUseFdpass yes");
});
