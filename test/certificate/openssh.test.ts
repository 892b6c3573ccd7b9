/** Interop with OpenSSH's own reader, signer and client. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { nowSeconds, systemClock } from "../../src/base/clock.ts";
import { issueCertificate } from "../../src/certificate/issue.ts";
import { parseCertificate } from "../../src/certificate/parse.ts";
import { isPlausible, verifyCertificate, verifyUserSignature } from "../../src/certificate/verify.ts";
import { OPTION_PEER } from "../../src/wire/certificate.ts";
import {
  aCertificateOrder,
  aCertificateQuestion,
  ca,
  certificateFileText,
  identity,
  MACHINE,
  NOW,
} from "../support/certificates.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qf-certificate-"));
  for (const name of ["ca", "id", "rsa"]) {
    await run("ssh-keygen", "-q", "-t", name.endsWith("rsa") ? "rsa" : "ed25519", "-N", "", "-f", path(name));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);

test("ssh-keygen -L reads every field of a certificate of ours", async () => {
  await writeFile(path("ours-cert.pub"), certificateFileText(issueCertificate(aCertificateOrder()), "anna"));
  const said = await run("ssh-keygen", "-L", "-f", path("ours-cert.pub"));
  const lines = said.split("\n").map((line) => line.trim());
  expect(lines[1]).toBe("Type: ssh-ed25519-cert-v01@openssh.com user certificate");
  expect(lines).toContain('Key ID: "anna@example.com on web-1"');
  expect(lines).toContain("Serial: 42");
  expect(said).toMatch(/Signing CA: ED25519 SHA256:\S+ \(using ssh-ed25519\)/);
  expect(lines.slice(lines.indexOf("Principals:"), lines.indexOf("Critical Options:"))).toEqual([
    "Principals:",
    "deploy",
    "postgres",
  ]);
  expect(said).toMatch(/Critical Options: \n\s+peer@qufabric UNKNOWN OPTION/);
  expect(said).toMatch(/id-token@qufabric UNKNOWN OPTION[^\n]*\n\s+identity@qufabric UNKNOWN OPTION/);
});

test("ssh-keygen -L reads a certificate with the longest token and most principals", async () => {
  const principals = Array.from({ length: 256 }, (_, i) => `user${i}`);
  const blob = issueCertificate(aCertificateOrder({ principals, idToken: `a.b.${"c".repeat(20_476)}` }));
  await writeFile(path("long-cert.pub"), certificateFileText(blob, ""));
  expect(await run("ssh-keygen", "-L", "-f", path("long-cert.pub"))).toContain("user255");
});

const OURS = [
  ["critical", `${OPTION_PEER}=${MACHINE}`],
  ["extension", `identity@qufabric=${JSON.stringify(identity)}`],
  ["extension", "id-token@qufabric=eyJhbGciOiJFZERTQSJ9.e30.c2ln"],
] as const;

test("verifyCertificate accepts what ssh-keygen signs with our options beside its own", async () => {
  const blob = await keygenSigned({ options: OURS });
  const cas = [{ id: ca.id, publicKey: (await readFile(path("ca.pub"), "utf8")).split(" ")[1] ?? "" }];
  const verdict = verifyCertificate(aCertificateQuestion(blob, { cas, localUser: "deploy" }));
  expect(verdict).toMatchObject({ ok: true, identity, certificate: { serial: 9n, keyId: "by hand" } });
});

test.each<[string, Parameters<typeof keygenSigned>[0]]>([
  ["without our critical option", { options: OURS.slice(1) }],
  ["without an identity", { options: OURS.slice(0, 1) }],
  ["with force-command", { options: [...OURS, ["", "force-command=true"]] }],
  ["with source-address", { options: [...OURS, ["", "source-address=127.0.0.1/32"]] }],
  ["with a critical option of somebody else", { options: [...OURS, ["critical", "x@example.com=1"]] }],
  ["without principals", { options: OURS, principals: null }],
  ["with a principal that ends in a blank", { options: OURS, principals: "deploy " }],
  ["for a host", { options: [], host: true }],
  ["for ever", { options: OURS, validity: "always:forever" }],
  ["for a day", { options: OURS, validity: "+0:+1d" }],
  ["by an RSA CA", { options: OURS, caName: "rsa" }],
  ["over an RSA key", { options: OURS, keyName: "rsa" }],
])("parseCertificate refuses what ssh-keygen signs %s", async (_, order) => {
  const blob = await keygenSigned(order);
  expect(() => parseCertificate(blob)).toThrow("the certificate is");
});

test("OpenSSH signs in with a certificate of ours, and its signature is taken", async () => {
  const publicKey = (await readFile(path("id.pub"), "utf8")).split(" ")[1] ?? "";
  const raw = Buffer.from(publicKey, "base64").subarray(-32).toString("base64url");
  // The client looks at the validity by its own clock.
  const now = nowSeconds(systemClock);
  const blob = issueCertificate(aCertificateOrder({ loginKey: raw, nowSeconds: now }));
  await writeFile(path("id-cert.pub"), certificateFileText(blob, ""));

  const seen: { plausible: boolean; length: number; signed: boolean; ok: boolean }[] = [];
  const server = new ssh2.Server({ hostKeys: [await readFile(path("rsa"))], ident: "test" }, (connection) => {
    connection.on("error", () => {});
    connection.on("authentication", (context) => {
      if (context.method !== "publickey") return context.reject(["publickey"]);
      if (!isPlausible(context.key.data, [ca])) return context.reject(["publickey"]);
      if (context.signature === undefined || context.blob === undefined) return context.accept();
      const { signature, blob: data } = context;
      seen.push({
        plausible: true,
        length: signature.length,
        signed: verifyUserSignature({ loginKey: raw, data, signature }),
        ok: verifyCertificate(aCertificateQuestion(context.key.data, { nowSeconds: now })).ok,
      });
      context.accept();
    });
    connection.on("ready", () => connection.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await spawn([
      ...["ssh", "-F", "none", "-i", path("id"), "-o", "IdentitiesOnly=yes", "-p", String(port)],
      ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"],
      ...["-o", "ConnectTimeout=5", "deploy@127.0.0.1", "true"],
    ]);
  } finally {
    server.close();
  }
  // 83 bytes: OpenSSH's own header is there.
  expect(seen).toEqual([{ plausible: true, length: 83, signed: true, ok: true }]);
});

interface KeygenOrder {
  readonly options: readonly (readonly [kind: string, value: string])[];
  /** Null leaves them out. Default deploy,postgres. */
  readonly principals?: string | null;
  readonly validity?: string;
  readonly host?: boolean;
  readonly caName?: string;
  readonly keyName?: string;
}

async function keygenSigned(order: KeygenOrder): Promise<Buffer> {
  const { principals = "deploy,postgres", keyName = "id" } = order;
  const copy = path(`signed-${keyName}.pub`);
  await writeFile(copy, await readFile(path(`${keyName}.pub`)));
  const arguments_ = ["-q", "-s", path(order.caName ?? "ca"), "-I", "by hand", "-z", "9"];
  if (order.host === true) arguments_.push("-h");
  if (principals !== null) arguments_.push("-n", principals);
  arguments_.push("-V", order.validity ?? `${stamp(NOW - 30)}:${stamp(NOW + 120)}`);
  for (const [kind, value] of order.options) arguments_.push("-O", kind === "" ? value : `${kind}:${value}`);
  await run("ssh-keygen", ...arguments_, copy);
  const text = await readFile(path(`signed-${keyName}-cert.pub`), "utf8");
  return Buffer.from(text.split(" ")[1] ?? "", "base64");
}

/** ssh-keygen's YYYYMMDDHHMMSS; run with TZ=UTC. */
function stamp(seconds: number): string {
  return new Date(seconds * 1000)
    .toISOString()
    .replace(/[^0-9]/g, "")
    .slice(0, 14);
}

async function run(...command: string[]): Promise<string> {
  const { code, output } = await spawn(command);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${output}`);
  return output;
}

async function spawn(command: string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn(command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env.PATH ?? "", HOME: folder, TZ: "UTC" },
    timeout: 15_000,
  });
  const output = `${await new Response(child.stdout).text()}${await new Response(child.stderr).text()}`;
  return { code: await child.exited, output };
}
