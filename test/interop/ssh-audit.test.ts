/**
 * ssh-audit, as people run it against their servers, against an agent with its default flags where any
 * client may speak. It finds nothing at warning level or above but what is listed here, with the reason.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Lab, type LabAgent, openLab } from "../support/lab.ts";
import { runProcess } from "../support/run-process.ts";

const hasAudit = Bun.which("ssh-audit") !== null;
const hasKeyscan = Bun.which("ssh-keyscan") !== null;

/** What a finding has to say to be accepted. Everything else fails. */
const ACCEPTED: readonly { readonly finding: RegExp; readonly because: string }[] = [
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

describe.skipIf(!hasAudit)("ssh-audit", () => {
  let lab: Lab;
  let agent: LabAgent;
  let port = "";

  beforeAll(async () => {
    lab = await openLab();
    const args = ["--plain-ssh-listen=127.0.0.1:0", "--ssh-per-source-penalties=yes"];
    agent = await lab.startAgent("audited", { args });
    const [plain = ""] = (await agent.status()).sshServer.plainListen ?? [];
    port = plain.slice(plain.lastIndexOf(":") + 1);
  }, 60_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  const audit = async () => {
    const command = ["ssh-audit", "--no-colors", "--port", port, "127.0.0.1"];
    const { stdout } = await runProcess(command, { env: lab.env(), cwd: lab.root, timeoutMs: 60_000 });
    return { stdout, findings: findingsOf(stdout) };
  };

  test("finds nothing but what it does not know yet", async () => {
    const { stdout, findings } = await audit();
    expect(stdout).toContain("(gen) banner: SSH-2.0-OpenSSH_9.9p2 QuFabric_");
    expect(stdout).toContain("(key) ssh-ed25519");
    // What it could not read is not what it approved of.
    expect(stdout).not.toContain("[exception]");
    expect(findings.filter((line) => !ACCEPTED.some(({ finding }) => finding.test(line)))).toEqual([]);
  });

  test("sees compression off and no cipher without authentication of its bytes", async () => {
    const { stdout } = await audit();
    expect(stdout).toContain("(gen) compression: disabled");
    const macs = [...stdout.matchAll(/^\(mac\) (\S+)/gm)].map(([, name]) => name);
    expect(macs).toEqual(["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"]);
  });

  test.skipIf(!hasKeyscan)(
    "the P-256 host key is offered where somebody asks for it, live, only",
    async () => {
      const scan = async () => {
        const command = ["ssh-keyscan", "-t", "ecdsa,ed25519", "-p", port, "127.0.0.1"];
        const { stdout } = await runProcess(command, { env: lab.env(), cwd: lab.root, timeoutMs: 30_000 });
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
