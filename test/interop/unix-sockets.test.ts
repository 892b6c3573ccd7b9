/**
 * Unix sockets at every end of a connection: a server that answers and closes at once is heard each time, by
 * -L of the machine, by -R of `qf ssh`, and through a forwarded agent.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type AnswerServer, startAnswerServer } from "../support/answer-server.ts";
import { type BesideSshd, hasSshd, openBesideSshd } from "../support/beside-sshd.ts";
import { converse, freePort } from "../support/echo.ts";
import { isRoot } from "../support/os-accounts.ts";

const NETCAT = "/usr/lib/openssh/regress/netcat";
const TIMES = 300;
/** At once: a queue of five is what a careless server has. */
const AT_ONCE = 4;

describe.skipIf(!isRoot || !hasSshd)("a server that answers and closes at once", () => {
  let beside: BesideSshd;
  let there: AnswerServer;
  let here: AnswerServer;
  const running = new Set<Bun.Subprocess>();

  beforeAll(async () => {
    beside = await openBesideSshd({ rule: { ssh: { agent_forwarding: true } } });
    there = await startAnswerServer(join(beside.machine.account.home, "there.sock"));
    here = await startAnswerServer(join(beside.machine.lab.root, "here.sock"));
  }, 60_000);

  afterAll(async () => {
    for (const child of running) child.kill();
    await Promise.all([...running].map(({ exited }) => exited));
    await there?.[Symbol.asyncDispose]();
    await here?.[Symbol.asyncDispose]();
    await beside?.[Symbol.asyncDispose]();
  });

  function stays(argv: readonly string[], env: Record<string, string> = {}): void {
    const { lab, device } = beside.machine;
    const stdio = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
    running.add(Bun.spawn([...argv], { env: lab.env(device.env(env)), cwd: lab.root, ...stdio }));
  }

  /** How many of the answers at `port` were whole. */
  async function heard(port: number): Promise<number> {
    await beside.machine.lab.until(`port ${port}`, async () =>
      converse({ port }, "").then(
        () => true,
        () => false,
      ),
    );
    let whole = 0;
    const work = async (): Promise<void> => {
      for (let i = 0; i < TIMES / AT_ONCE; i++) {
        const answer = await converse({ port }, i % 2 === 0 ? "" : "a question").catch(() => "");
        if (answer === there.answer) whole++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return whole;
  }

  test.each([0, 1, 2])(
    "is heard by -L each time (%i: sshd, the plain listener, the drop-in)",
    async (index) => {
      const port = await freePort();
      stays(beside.ways[index]?.argv(["-N", "-L", `${port}:${there.path}`]) ?? []);
      expect(await heard(port)).toBe(TIMES);
    },
  );

  test("is heard by -R of qf ssh each time", async () => {
    const { lab, account, host } = beside.machine;
    const port = await freePort();
    stays([lab.executable, "ssh", "-N", "-R", `${port}:${here.path}`, `${account.name}@${host}`]);
    expect(await heard(port)).toBe(TIMES);
  });

  /** Counts whole answers at a path of the machine, in a shell there. */
  const counting = (path: string): string =>
    `n=0; for i in $(seq ${TIMES}); do
       [ "$(${NETCAT} -U ${path} </dev/null | wc -c)" = ${here.answer.length} ] && n=$((n+1))
     done; echo $n`;

  test("is heard by -R between two sockets each time", async () => {
    const { account, device, host } = beside.machine;
    const remote = join(account.home, "remote.sock");
    const words = ["-R", `${remote}:${here.path}`, `${account.name}@${host}`, counting(remote)];
    expect((await device.ssh(words)).stdout).toBe(`${TIMES}\n`);
  });

  // ssh(1) first says to an agent which host it binds it to, and reads the answer: that is no such server.
  test("is heard as the agent that qf ssh lends each time", async () => {
    const { account, device, host } = beside.machine;
    const words = ["-A", `${account.name}@${host}`, counting("$SSH_AUTH_SOCK")];
    const result = await device.ssh(words, { env: { SSH_AUTH_SOCK: here.path } });
    expect(result).toMatchObject({ stdout: `${TIMES}\n` });
  });
});
