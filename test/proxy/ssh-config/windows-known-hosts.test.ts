import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { keepKnownHostsFile } from "../../../src/proxy/ssh-config/windows-known-hosts.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const key = sshBlobOfEd25519(generateEd25519().publicKey).toString("base64");

/** What ssh-keygen, which reads the file as ssh does, finds of `asked`. */
function found(folder: string, file: string, asked: string): string {
  const result = Bun.spawnSync(["ssh-keygen", "-F", asked, "-f", join(folder, file)]);
  return result.stdout.toString();
}

test("ssh finds the keys of the peer at both of its ports, and of nobody else", () => {
  const folder = tempFolder();
  keepKnownHostsFile(folder, "web1.qf.internal", { hostKeys: [key] });
  const file = "web1.qf.internal_known";
  for (const asked of ["web1.qf.internal", "[web1.qf.internal]:22022"]) {
    expect(found(folder, file, asked)).toContain(`ssh-ed25519 ${key}`);
  }
  for (const asked of ["web2.qf.internal", "[web1.qf.internal]:2222"])
    expect(found(folder, file, asked)).toBe("");
});

test.each(["not a key", "AAAA", `${key} github.com`, `${key}\n*`])("the host key %p is left out", (blob) => {
  const folder = tempFolder();
  keepKnownHostsFile(folder, "web1.qf.internal", { hostKeys: [blob, key] });
  expect(found(folder, "web1.qf.internal_known", "github.com")).toBe("");
  expect(found(folder, "web1.qf.internal_known", "web1.qf.internal")).toContain(key);
});

test.each(["../x", "a b", "a,github.com", "WEB1.qf.internal"])("no file is written for %p", (host) => {
  const folder = tempFolder();
  keepKnownHostsFile(folder, host, { hostKeys: [key] });
  expect(existsSync(folder)).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
});
