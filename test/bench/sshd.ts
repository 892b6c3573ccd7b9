/** Debian's sshd on loopback with keys of its own, to measure beside. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onInterrupt } from "../support/interrupt.ts";
import { ownName } from "../support/os-accounts.ts";

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  /** The listener; each connection is a child of it. */
  readonly pid: number;
  /** The private key that signs anybody in. */
  readonly key: string;
  /** Options of ssh(1) that sign in with the key, without a prompt. */
  readonly sshArgs: readonly string[];
}

/** Starts sshd for `user` to sign in, with `config` added. Throws when there is none. */
export async function openSshd(config = "", user = ownName()): Promise<Sshd> {
  const binary = "/usr/sbin/sshd";
  const folder = mkdtempSync(join(tmpdir(), "qf-sshd-"));
  chmodSync(folder, 0o755);
  mkdirSync("/run/sshd", { recursive: true });
  for (const name of ["host", "user"]) {
    const made = Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
    if (made.exitCode !== 0) throw new Error("ssh-keygen failed");
  }
  const port = await freePort();
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${join(folder, "user.pub")}`,
    "StrictModes no",
    // As Debian has it, and as the agent does.
    "UsePAM yes",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "MaxStartups 100:30:200",
    `PidFile ${join(folder, "pid")}`,
    "Subsystem sftp internal-sftp",
    config,
  ];
  writeFileSync(join(folder, "sshd_config"), `${lines.join("\n")}\n`);
  const child = Bun.spawn([binary, "-D", "-e", "-f", join(folder, "sshd_config")], {
    stdout: "ignore",
    stderr: "ignore",
  });
  const end = async (): Promise<void> => {
    forget();
    child.kill("SIGTERM");
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const forget = onInterrupt(end);
  const sshArgs = [
    "-F",
    "none",
    "-p",
    String(port),
    "-l",
    user,
    "-i",
    join(folder, "user"),
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "BatchMode=yes",
  ];
  for (let i = 0; i < 100; i++) {
    if (
      Bun.spawnSync(["ssh", ...sshArgs, "127.0.0.1", "true"], { stdout: "ignore", stderr: "ignore" })
        .exitCode === 0
    )
      break;
    if (i === 99) throw new Error("sshd did not start");
    await Bun.sleep(50);
  }
  return {
    port,
    pid: child.pid,
    key: join(folder, "user"),
    sshArgs,
    [Symbol.asyncDispose]: end,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address !== "string"
          ? resolve(address.port)
          : reject(new Error("no port")),
      );
    });
  });
}
