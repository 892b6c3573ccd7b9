/**
 * ssh-audit, as people run it against their servers, against an agent with its default flags: where peers
 * speak, and where any client may. It finds nothing at warning level or above but what is
 * listed here, with the reason.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import type { LabAgent } from "../support/lab.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const hasAudit = Bun.which("ssh-audit") !== null;
const hasKeyscan = Bun.which("ssh-keyscan") !== null;

interface Accepted {
  /** What a finding has to say. */
  readonly finding: RegExp;
  readonly because: string;
}

/** Findings that are accepted everywhere. */
const ACCEPTED: readonly Accepted[] = [
  {
    finding: /^kex mlkem768x25519-sha256: unknown algorithm$/,
    because: "younger than Debian's ssh-audit: OpenSSH's default since 10.0, which warns without it",
  },
  {
    finding: /^kex kex-strict-s-v00@openssh\.com: unknown algorithm$/,
    because: "younger than Debian's ssh-audit: the mark of strict key exchange, the answer to Terrapin",
  },
  {
    finding: /^kex curve25519-sha256(@libssh\.org)?: .*post-quantum/,
    because: "newer ssh-audits say so; clients without ML-KEM need one exchange that they know",
  },
];
/** And where any client may speak. */
const ACCEPTED_PLAIN: readonly Accepted[] = [
  {
    finding: /^kex ecdh-sha2-nistp256: using weak elliptic curves$/,
    because: "last in order: net-ssh without its x25519 gem knows no other that is offered",
  },
  {
    finding: /^mac hmac-sha2-256: using encrypt-and-MAC mode$/,
    because: "last in order: libssh2 before 1.11 and dropbear know no encrypt-then-MAC",
  },
];
const ETM = ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"];

describe.skipIf(!hasAudit)("ssh-audit", () => {
  let setUp: SetUp;
  let agent: LabAgent;
  let relay: Server;
  let plain = "";
  let proven = "";

  beforeAll(async () => {
    const args = ["--plain-ssh-listen=127.0.0.1:0", "--ssh-per-source-penalties=yes"];
    setUp = await openSetUp({ machines: { audited: args } });
    const { device } = setUp;
    ({ agent } = setUp);
    const [address = ""] = (await agent.status()).sshServer.plainListen ?? [];
    plain = address.slice(address.lastIndexOf(":") + 1);
    // A port of this machine that leads where peers speak, by the way of OpenSSH's ProxyCommand.
    relay = createServer((socket) => {
      const child = device.spawn(["proxy", "connect", "--config-dir", device.configDir, "audited", "22"]);
      socket.on("error", () => {}).once("close", () => child.kill());
      socket.on("data", (data) => {
        child.stdin.write(data);
        void child.stdin.flush();
      });
      void child.stdout.pipeTo(
        new WritableStream({ write: (data) => void socket.write(data), close: () => void socket.end() }),
      );
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    proven = String((relay.address() as { port: number }).port);
  }, 60_000);

  afterAll(async () => {
    relay?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  const audit = async (port = plain) => {
    const command = ["ssh-audit", "--no-colors", "--port", port, "127.0.0.1"];
    const { stdout } = await runProcess(command, {
      env: setUp.lab.env(),
      cwd: setUp.lab.root,
      timeoutMs: 60_000,
    });
    const macs = [...stdout.matchAll(/^\(mac\) (\S+)/gm)].map(([, name = ""]) => name);
    return { stdout, macs, findings: findingsOf(stdout) };
  };

  test.each([
    { where: "where peers speak", port: () => proven, accepted: ACCEPTED, macs: ETM },
    {
      where: "where any client may",
      port: () => plain,
      accepted: [...ACCEPTED, ...ACCEPTED_PLAIN],
      macs: [...ETM, "hmac-sha2-256"],
    },
  ])("finds nothing but what it does not know yet, or older clients need: $where", async (row) => {
    const { stdout, findings, macs } = await audit(row.port());
    expect(stdout).toContain("(gen) banner: SSH-2.0-OpenSSH_9.9p2 QuFabric_");
    expect(stdout).toContain("(key) ssh-ed25519");
    expect(stdout).toContain("(gen) compression: disabled");
    // What it could not read is not what it approved of.
    expect(stdout).not.toContain("[exception]");
    expect(findings.filter((line) => !row.accepted.some(({ finding }) => finding.test(line)))).toEqual([]);
    expect(macs).toEqual([...row.macs]);
  });

  test.skipIf(!hasKeyscan)(
    "the P-256 host key is offered where somebody asks for it, live, only",
    async () => {
      const scan = async () => {
        const command = ["ssh-keyscan", "-t", "ecdsa,ed25519", "-p", plain, "127.0.0.1"];
        const { stdout } = await runProcess(command, {
          env: setUp.lab.env(),
          cwd: setUp.lab.root,
          timeoutMs: 30_000,
        });
        return [...stdout.matchAll(/^\S+ (\S+) /gm)].map(([, type]) => type).sort();
      };
      expect(await scan()).toEqual(["ssh-ed25519"]);
      await agent.up(["--ssh-host-key-algorithms=ssh-ed25519,ecdsa-sha2-nistp256"]);
      expect(await scan()).toEqual(["ecdsa-sha2-nistp256", "ssh-ed25519"]);
      // And then ssh-audit says what it thinks of it: these tests do see its findings.
      expect((await audit()).findings).toContainEqual(expect.stringContaining("key ecdsa-sha2-nistp256: "));
      await agent.up(["--ssh-host-key-algorithms="]);
      expect(await scan()).toEqual(["ssh-ed25519"]);
    },
  );
});

/** `kex NAME: what it says`, for each warning and failure of its output. */
function findingsOf(output: string): string[] {
  const findings: string[] = [];
  let subject = "";
  for (const line of output.split("\n")) {
    const [, kind, name] = /^\((\w+)\) (\S+)/.exec(line) ?? [];
    if (kind !== undefined) subject = `${kind} ${name}`;
    const [, text] = /\[(?:warn|fail)\] (.*)$/.exec(line) ?? [];
    if (text !== undefined) findings.push(`${subject}: ${text}`);
  }
  return findings;
}
