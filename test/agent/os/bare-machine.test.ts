/**
 * Sessions where there is no login(1), no su(1) and nothing of OpenSSH: in a mount namespace that hides them.
 */
import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const MAIN = resolve(import.meta.dir, "../../support/bare-session-main.ts");
const HIDDEN = ["login", "su", "ssh", "sftp", "scp", "runuser"].map((name) => `/usr/bin/${name}`);
const HIDDEN_SERVER = ["/usr/sbin/sshd", "/usr/sbin/runuser", "/usr/lib/openssh/sftp-server"];
/** Where Debian and others have it; an empty file cannot be loaded. */
const LIBPAM = ["x86_64", "aarch64"].flatMap((arch) => {
  const path = `/lib/${arch}-linux-gnu/libpam.so.0`;
  return existsSync(path) ? [realpathSync(path)] : [];
});

describe.skipIf(!isRoot || Bun.which("unshare") === null)("a machine without login, su and OpenSSH", () => {
  test.each([
    ["under what PAM says of other services", "0", []],
    ["also without PAM", "no PAM", LIBPAM],
  ] as const)(
    "has sessions all the same, %s",
    (_name, code, more) => {
      using account = new OsAccount("bare");
      const folder = tempFolder();
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, "nothing"), "", { mode: 0o000 });
      cpSync("/etc/pam.d", join(folder, "pam.d"), { recursive: true });
      for (const service of ["sshd", "qufabric", "login", "su", "su-l"]) {
        rmSync(join(folder, "pam.d", service), { force: true });
      }
      const hidden = [...HIDDEN, ...HIDDEN_SERVER, ...more].filter((path) => existsSync(path));
      const script = [
        "set -e",
        ...hidden.map((path) => `mount --bind ${folder}/nothing ${path}`),
        `mount --bind ${folder}/pam.d /etc/pam.d`,
        'exec "$@"',
      ].join("\n");
      const result = Bun.spawnSync(
        ["unshare", "--mount", "sh", "-c", script, "sh", process.execPath, MAIN, account.name],
        { stdout: "pipe", stderr: "pipe", timeout: 20_000 },
      );
      expect(result.stderr.toString()).toBe("");
      expect(result.stdout.toString()).toBe(`${code} 0\n${account.name}\n${account.home}\n`);
    },
    30_000,
  );
});
