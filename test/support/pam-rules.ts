/**
 * Rules of PAM for the accounts of one test: `/etc/pam.d/qufabric`, which leaves everybody else to sshd's
 * rules, and removed with the test's folder of scripts.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SERVICE = "/etc/pam.d/qufabric";
const MARK = "# Rules of a test.";
/** Without PAM, or without sshd's rules to build on, these tests have nothing to test. */
export const hasPamRules = existsSync("/etc/pam.d/sshd");

export class PamRules implements Disposable {
  /** The user's programs read it too. */
  readonly folder = mkdtempSync(join(tmpdir(), "qf-pam-"));
  readonly #before = existsSync(SERVICE) ? readFileSync(SERVICE, "utf8") : MARK;

  /** `lines` count for `user` only; what is written as `%F` is a folder of the test's. */
  set(user: string, lines: readonly string[]): this {
    const own = lines.flatMap((line) => {
      const [type = ""] = line.split(/\s+/, 1);
      // For anybody else, the next line is passed over.
      return [
        `${type} [success=ignore default=1] pam_succeed_if.so quiet user = ${user}`,
        line.replaceAll("%F", this.folder),
      ];
    });
    const rest = ["account include sshd", "session include sshd"];
    writeFileSync(SERVICE, `${[MARK, ...own, ...rest].join("\n")}\n`, { mode: 0o644 });
    return this;
  }

  constructor() {
    chmodSync(this.folder, 0o755);
  }

  write(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text, { mode: 0o755 });
    return join(this.folder, name);
  }

  read(name: string): string {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  [Symbol.dispose](): void {
    // What another run of these tests has left is nobody's rules.
    if (this.#before.startsWith(MARK)) rmSync(SERVICE, { force: true });
    else writeFileSync(SERVICE, this.#before);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
