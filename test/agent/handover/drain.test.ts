/** The last sessions of an earlier agent, with a running agent that is a socket of this process. */
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Socket } from "bun";
import type { ServerContext } from "../../../src/agent/contracts/server-context.ts";
import { createApprovals } from "../../../src/agent/control-link/approvals.ts";
import type { MapHolder } from "../../../src/agent/control-link/map-holder.ts";
import { Drain, FOLLOWED_MS_MAX } from "../../../src/agent/handover/drain.ts";
import { createRemoteSink } from "../../../src/agent/handover/remote-sink.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { HandoverAnswer } from "../../../src/wire/handover.ts";
import { FakeSsh } from "../../support/agent.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anId } from "../../support/policy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const DAY_MS = 24 * 3_600_000;
const drains: Drain[] = [];
const servers: { stop(): void }[] = [];
afterEach(async () => {
  for (const drain of drains.splice(0)) await drain.end();
  for (const server of servers.splice(0)) server.stop();
});

function drain(path = join(tempFolder(), "run.sock")) {
  const clock = new FakeClock();
  const ssh = new FakeSsh({} as ServerContext);
  ssh.live = [{ connectionId: anId("connection") } as (typeof ssh.live)[number]];
  const confirmed: number[] = [];
  const maps = {
    position: () => ({ epoch: 1, version: 1 }),
    confirm: (age: number) => confirmed.push(age),
  } as unknown as MapHolder;
  const made = new Drain({
    ...{ clock, log: silentLog, path, ssh, maps, sink: createRemoteSink(), approvals: createApprovals() },
    onFlags: () => {},
    onFollowed: () => {},
  });
  drains.push(made);
  return { made, clock, ssh, confirmed };
}

/** A running agent that says `answers`, whatever it hears. */
function running(answers: readonly (HandoverAnswer | { is: string })[]): string {
  const path = join(tempFolder(), "run.sock");
  const say = (socket: Socket<undefined>) => {
    for (const answer of answers) socket.write(`${JSON.stringify(answer)}\n`);
  };
  const socket = { open: say, data() {}, close() {}, error() {} };
  const server = Bun.listen({ unix: path, socket });
  servers.push({ stop: () => server.stop(true) });
  return path;
}

const AGE = { is: "age", ageSeconds: 3 } as const;

describe("the last sessions of an agent", () => {
  test("go on, as old as the map of the running agent is", async () => {
    const { ssh, clock, confirmed } = drain(running([AGE]));
    await until("the age", () => confirmed.length > 0);
    clock.advanceMs(FOLLOWED_MS_MAX * 2);
    expect({ confirmed, isClosed: ssh.isClosed }).toEqual({ confirmed: [3], isClosed: false });
  });

  test.each([
    ["are over", AGE, (ssh: FakeSsh) => void ssh.live.splice(0)],
    ["are ended by it", { is: "end" } as const, () => {}],
    ["are under an order that this build cannot read", { is: "restrict" }, () => {}],
  ])("end when they %s", async (_, answer, change) => {
    const { made, ssh } = drain(running([AGE, answer]));
    change(ssh);
    await made.ended;
    expect(ssh.isClosed).toBe(true);
  });

  test("end after a day", async () => {
    const { made, clock, confirmed } = drain(running([AGE]));
    await until("the running agent", () => confirmed.length > 0);
    clock.advanceMs(DAY_MS + 1);
    await made.ended;
  });

  test("look for a running agent less and less often, and keep one attempt open at a time", async () => {
    const path = join(tempFolder(), "run.sock");
    let [open, asked, isClosing] = [0, 0, true];
    const server = Bun.listen({
      unix: path,
      socket: {
        open(socket: Socket<undefined>) {
          open += 1;
          asked += 1;
          if (isClosing) socket.end();
        },
        close() {
          open -= 1;
        },
        data() {},
        error() {},
      },
    });
    servers.push({ stop: () => server.stop(true) });
    const { clock } = drain(path);
    /** Attempts in as many tenths of a second. */
    const attemptsIn = async (tenths: number): Promise<number> => {
      const before = asked;
      for (let i = 0; i < tenths; i++) {
        clock.advanceMs(100);
        await Bun.sleep(120);
      }
      return asked - before;
    };
    await until("the first attempt", () => asked === 1 && open === 0);
    expect(await attemptsIn(15)).toBeLessThanOrEqual(5);
    isClosing = false;
    clock.advanceMs(1_000);
    await until("an attempt that is not answered", () => open === 1);
    expect(await attemptsIn(10)).toBe(0);
    clock.advanceMs(5_000);
    const before = asked;
    await until("another", () => asked === before + 1 && open === 1);
  });

  test("end when no agent follows for a minute", async () => {
    const { made, clock, ssh } = drain();
    clock.advanceMs(FOLLOWED_MS_MAX - 1);
    expect(ssh.isClosed).toBe(false);
    clock.advanceMs(2);
    await made.ended;
    expect(ssh.isClosed).toBe(true);
  });
});
