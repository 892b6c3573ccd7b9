/** OpenSSH's client through the guard: what people type must not notice it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Session } from "ssh2";
import { ALGORITHMS } from "../../src/sshcore/algorithms.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";

const MIB = 1024 * 1024;
const ssh = Bun.which("ssh");
if (ssh === null && process.env.CI === "true") throw new Error("OpenSSH's client is needed where CI=true");
if (ssh === null) process.stderr.write("skipped: there is no OpenSSH client here\n");

let server: GuardedServer;
let rekeys = 0;
beforeAll(async () => {
  server = await startGuardedServer({
    letsAllIn: true,
    limits: { rekeyBytes: 2 * MIB },
    onSession: serve,
    onConnection: (connection) =>
      connection.on("rekey", () => {
        rekeys++;
      }),
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** `N`: N bytes down. Anything else: the hash of what comes up. */
function serve(session: Session): void {
  session.on("exec", (accept, _reject, { command }) => {
    // Late, as a server that asks somebody first: what the client sends meanwhile must not be lost.
    setTimeout(() => {
      const channel = accept();
      const finish = (): void => {
        channel.exit(0);
        channel.end();
      };
      const bytes = Number(command);
      if (bytes > 0) return void channel.write(Buffer.alloc(bytes, 0x5a), finish);
      const hash = createHash("sha256");
      channel.on("data", (data: Buffer) => hash.update(data));
      channel.on("end", () => {
        channel.write(hash.digest("hex"));
        finish();
      });
    }, 5);
  });
}

async function run(options: readonly string[], command: string, input?: Buffer): Promise<Buffer> {
  const argv = [
    ssh ?? "ssh",
    ...["-F", "none", "-p", String(server.port), "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"],
    ...["-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o", "PreferredAuthentications=none"],
    ...options,
    "root@127.0.0.1",
    command,
  ];
  const child = Bun.spawn(argv, { stdin: input ?? "ignore", stdout: "pipe", stderr: "inherit" });
  const [output, code] = await Promise.all([new Response(child.stdout).arrayBuffer(), child.exited]);
  expect(code).toBe(0);
  return Buffer.from(output);
}

const ROWS = [
  ...ALGORITHMS.cipher.flatMap((cipher) =>
    (cipher.endsWith("gcm@openssh.com") ? ALGORITHMS.hmac.slice(0, 1) : ALGORITHMS.hmac).map((mac) => ({
      name: `with ${cipher} and ${mac}`,
      options: ["-c", cipher, "-m", mac],
    })),
  ),
  { name: "with a client that asks for new keys all the time", options: ["-o", "RekeyLimit=16"] },
  { name: "with keepalives", options: ["-o", "ServerAliveInterval=1"] },
];

if (ssh !== null) {
  test.each(ROWS)("ssh moves data both ways $name", async ({ options }) => {
    const before = rekeys;
    const isConstant = options.includes("RekeyLimit=16");
    const bytes = isConstant ? 300_000 : 6 * MIB;
    const down = await run(options, String(bytes));
    expect(down.length).toBe(bytes);
    expect(down.equals(Buffer.alloc(bytes, 0x5a))).toBe(true);
    const body = Buffer.alloc(bytes, 0x33);
    expect((await run(options, "up", body)).toString()).toBe(createHash("sha256").update(body).digest("hex"));
    expect(rekeys).toBeGreaterThan(before + 2);
    expect(server.violations).toEqual([]);
  });
}
