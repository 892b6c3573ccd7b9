/**
 * Stock OpenSSH against an agent and against Debian's sshd: same client, same key exchange, same cipher.
 *
 * `direct` signs in with a certificate at the plain listener, `proxy` through the drop-in and
 * `qf proxy connect` with a kept login, which mints a certificate for each connection.
 */

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import {
  type Lab,
  type LabAgent,
  type LabDevice,
  type LabPolicy,
  openLab,
  type Person,
} from "../support/lab.ts";
import { unbundleKey } from "../support/openssh-client.ts";
import { isRoot, OsAccount, ownName } from "../support/os-accounts.ts";
import { openSshd, type Sshd } from "./sshd.ts";

/** The pinned exchange and cipher of every figure. */
const WIRE = ["-o", "KexAlgorithms=curve25519-sha256", "-c", "aes256-gcm@openssh.com"];
const QUIET = [
  "-o",
  "StrictHostKeyChecking=no",
  "-o",
  "UserKnownHostsFile=/dev/null",
  "-o",
  "LogLevel=ERROR",
];

/** One way to reach a server: what goes before the destination of ssh(1) and sftp(1). */
export interface Way {
  readonly ssh: readonly string[];
  /** The same for sftp(1), which spells the port otherwise. */
  readonly sftp: readonly string[];
  readonly destination: string;
  readonly env: Record<string, string>;
}

export interface Field extends AsyncDisposable {
  readonly lab: Lab;
  readonly agent: LabAgent;
  readonly device: LabDevice;
  readonly user: string;
  readonly person: Person;
  /** The person's group, the machine's, and the policy from one to the other. */
  readonly devs: string;
  readonly servers: string;
  readonly policy: LabPolicy;
  /** Of the agent's plain listener. */
  readonly port: number;
  /** The private key of `direct`; its certificate is beside it. */
  readonly key: string;
  readonly sshdServer: Sshd;
  readonly direct: Way;
  readonly proxy: Way;
  readonly sshd: Way;
  /** The same with a certificate, as `direct` has one: stock ssh verifies it by itself, which takes time. */
  readonly certifiedSshd: Way;
  readonly folder: string;
  /** Makes the certificate of `direct` fresh again; it is good for two minutes. */
  renew(): Promise<void>;
}

/**
 * Starts management, an agent with everything allowed, and sshd; signs one device in.
 *
 * As root, both serve an account of its own, whose shell reads nothing at its start: what a person has
 * written for theirs takes longer than any server does, and it is the servers that are compared.
 * `agentArgs` are flags of the agent beside its own.
 */
export async function openField(
  agentArgs: readonly string[] = [],
  serveArgs: readonly string[] = [],
): Promise<Field> {
  const account = isRoot ? new OsAccount("bench", ["--shell", "/bin/sh"]) : null;
  try {
    return await openFieldFor(account, agentArgs, serveArgs);
  } catch (cause) {
    account?.[Symbol.dispose]();
    throw cause;
  }
}

async function openFieldFor(
  account: OsAccount | null,
  agentArgs: readonly string[],
  serveArgs: readonly string[],
): Promise<Field> {
  const user = account?.name ?? ownName();
  const lab = await openLab({ serveArgs });
  const authorityFolder = mkdtempSync(join(tmpdir(), "qf-authority-"));
  const authority = join(authorityFolder, "key");
  keygen("-q", "-t", "ed25519", "-N", "", "-f", authority);
  const sshd = await openSshd(`TrustedUserCAKeys ${authority}.pub`, user);
  const devs = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const person = await lab.createPerson("ada@example.com", [devs]);
  const policy = await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [user] } });
  const flags = [
    "--enable-ssh-sftp",
    "--enable-ssh-local-port-forwarding",
    "--plain-ssh-listen",
    "127.0.0.1:0",
  ];
  const agent = await lab.startAgent("web1", {
    groups: [servers],
    args: [...flags, ...agentArgs],
  });
  const device = lab.device(person, "laptop");
  await device.login();
  const env = lab.env(device.env());
  const config = join(device.configDir, "openssh-config");
  const { executable } = lab;
  writeFileSync(
    config,
    renderDropIn({ executable, domain: "qf.internal", configDir: device.configDir, shortNames: false }),
  );
  const destination = `${user}@web1.qf.internal`;
  const proxy: Way = { ssh: ["-F", config, ...WIRE], sftp: ["-F", config, ...WIRE], destination, env };
  const renew = async (): Promise<string> => {
    const child = Bun.spawn(["ssh", ...proxy.ssh, destination, "true"], {
      env,
      stdout: "ignore",
      stderr: "pipe",
    });
    if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
    // What was minted is in the drop-in's own file; ssh(1) without the drop-in reads another.
    return findKey(device.configDir);
  };
  const key = await renew();
  const { plainListen } = (await agent.status()).sshServer;
  const port = plainListen?.[0]?.split(":").at(-1) ?? "";
  const identity = ["-i", key, "-o", `CertificateFile=${key}-cert.pub`, "-o", "IdentitiesOnly=yes", ...QUIET];
  const plain = ["-F", "none", ...identity, ...WIRE];
  const direct: Way = {
    ssh: [...plain, "-p", port],
    sftp: [...plain, "-P", port],
    destination: `${user}@127.0.0.1`,
    env,
  };
  const folder = join("/dev/shm", `qf-bench-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  return {
    lab,
    agent,
    device,
    user,
    person,
    devs,
    servers,
    policy,
    port: Number(port),
    key,
    sshdServer: sshd,
    direct,
    proxy,
    sshd: wayOf(sshd, user, env),
    certifiedSshd: certifiedWay(wayOf(sshd, user, env), { authority, key: sshd.key, user }),
    folder,
    renew: async () => void (await renew()),
    async [Symbol.asyncDispose]() {
      for (const made of [folder, authorityFolder]) rmSync(made, { recursive: true, force: true });
      await sshd[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
      account?.[Symbol.dispose]();
    },
  };
}

function wayOf(sshd: Sshd, user: string, env: Record<string, string>): Way {
  const ssh = [...sshd.sshArgs, ...WIRE];
  const sftp = ssh.map((word, i) => (word === "-p" && /^\d+$/.test(ssh[i + 1] ?? "") ? "-P" : word));
  const login = sftp.indexOf("-l");
  return {
    ssh,
    sftp: sftp.filter((_, i) => i !== login && i !== login + 1),
    destination: `${user}@127.0.0.1`,
    env,
  };
}

/** `way` with a certificate over its key, made by `authority`. */
function certifiedWay(
  way: Way,
  { authority, key, user }: { authority: string; key: string; user: string },
): Way {
  keygen("-q", "-s", authority, "-I", user, "-n", user, `${key}.pub`);
  const certificate = `${authority}-user.pub`;
  // Beside its key every `ssh` would find it.
  renameSync(`${key}-cert.pub`, certificate);
  const option = ["-o", `CertificateFile=${certificate}`];
  return { ...way, ssh: [...way.ssh, ...option], sftp: [...way.sftp, ...option] };
}

function keygen(...words: readonly string[]): void {
  if (Bun.spawnSync(["ssh-keygen", ...words]).exitCode !== 0) throw new Error("ssh-keygen failed");
}

/** The private key that `qf proxy connect` wrote, with its certificate in a file beside it. */
function findKey(folder: string): string {
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((name) =>
    /(?:^|\/)web1[^/_]*$/.test(name),
  );
  if (found === undefined) throw new Error("no key was written");
  return unbundleKey(join(folder, found));
}

/** `way` as people have it: exchange and cipher as its two ends choose them. */
export function unpinned(way: Way): Way {
  const isPin = (word: string): boolean => WIRE.includes(word) && word !== "-o";
  const without = (words: readonly string[]): string[] =>
    words.filter((word, at) => !isPin(word) && !(word === "-o" && isPin(words[at + 1] ?? "")));
  return { ...way, ssh: without(way.ssh), sftp: without(way.sftp) };
}

/** A sparse file of zeros. */
export function zeros(path: string, bytes: number): string {
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return path;
}

/** A folder of `count` small files. */
export function smallFiles(folder: string, count: number): string {
  mkdirSync(folder);
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `f${i}`), `file ${i}\n`);
  return folder;
}
