/**
 * OpenSSH's own ssh(1) against a server of `ssh-server-context.ts`, with the certificate read from a file.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ed25519FromSeed } from "../../src/base/ed25519.ts";
import { SshReader } from "../../src/base/ssh-buffer.ts";
import { opensshPrivateKey } from "../../src/proxy/keys/openssh-key.ts";
import { certificateFileText } from "./certificates.ts";
import { type Credential, openSshPrivateKey, type TestSshServer } from "./ssh-server-context.ts";

export interface OpenSsh {
  /** argv up to the destination; add options before and a command after. */
  argv(localUser: string, options?: readonly string[]): string[];
  run(
    localUser: string,
    command: readonly string[],
    options?: { readonly flags?: readonly string[]; readonly stdin?: string | Uint8Array },
  ): Promise<{ status: number; stdout: string; stderr: string }>;
  remove(): void;
}

export function openSshClient(world: TestSshServer, credential: Credential): OpenSsh {
  const folder = mkdtempSync(join(tmpdir(), "qf-openssh-"));
  const identity = join(folder, "id");
  writeFileSync(identity, openSshPrivateKey(credential.loginKey, "login"), { mode: 0o600 });
  writeFileSync(`${identity}-cert.pub`, certificateFileText(credential.certificate, "login"));
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${world.port} ${world.hostKeyLine}\n`);
  const client: OpenSsh = {
    argv: (localUser, options = []) => [
      "ssh",
      ...["-F", "none", "-p", String(world.port), "-l", localUser],
      ...["-o", `IdentityFile=${identity}`, "-o", `CertificateFile=${identity}-cert.pub`],
      ...["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes"],
      ...["-o", `UserKnownHostsFile=${join(folder, "known_hosts")}`, "-o", "StrictHostKeyChecking=yes"],
      ...options,
      "127.0.0.1",
    ],
    async run(localUser, command, { flags = [], stdin } = {}) {
      const child = Bun.spawn([...client.argv(localUser, flags), ...command], {
        stdin: stdin === undefined ? "ignore" : Buffer.from(stdin as string),
        stdout: "pipe",
        stderr: "pipe",
        timeout: 15_000,
      });
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      return { status: await child.exited, stdout, stderr };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  return client;
}

/**
 * Writes the key of a file that `qf proxy connect` made, and its certificate, as two files beside it. Returns
 * the path of the key; the certificate is `-cert.pub` after it.
 */
export function unbundleKey(path: string): string {
  const text = readFileSync(path, "utf8").replace(/-----[^\n]+-----|\n/g, "");
  const reader = new SshReader(Buffer.from(text, "base64").subarray("openssh-key-v1\0".length));
  for (const _ of ["cipher", "kdf", "options"]) reader.string(64);
  reader.uint32();
  const certificate = Buffer.from(reader.string(65_536));
  const secret = Buffer.from(reader.string(65_536));
  const at = secret.lastIndexOf(Buffer.from([0, 0, 0, 64])) + 4;
  const key = ed25519FromSeed(secret.subarray(at, at + 32).toString("base64url"));
  const plain = `${path}_plain`;
  writeFileSync(plain, opensshPrivateKey(key), { mode: 0o600 });
  writeFileSync(`${plain}-cert.pub`, certificateFileText(certificate, "qufabric"));
  return plain;
}
