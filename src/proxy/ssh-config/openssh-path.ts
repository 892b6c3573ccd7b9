/**
 * Finds ssh(1).
 *
 * @module
 */
import { existsSync } from "node:fs";
import { win32 } from "node:path";
import { platform } from "../../base/platform/platform.ts";
import type { Environment } from "../keys/openssh-folder.ts";

/** Path of ssh(1). On Windows its own comes first: another one reads paths in its own way. Null: none. */
export function opensshPath(environment: Environment, on = platform): string | null {
  if (on.openssh === "windows") {
    const own = win32.join(environment.SystemRoot ?? "C:\\Windows", "System32", "OpenSSH", "ssh.exe");
    if (existsSync(own)) return own;
  }
  return Bun.which("ssh", { PATH: environment.PATH ?? "/usr/bin:/bin" });
}
