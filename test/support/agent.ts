/**
 * An agent in this process, with an SSH server that only notes what it is handed.
 */
import type { Duplex } from "node:stream";
import type { FlagChange } from "../../src/agent/contracts/flags.ts";
import type { ServerContext, SshServer } from "../../src/agent/contracts/server-context.ts";
import type { StreamOrigin } from "../../src/agent/contracts/stream-origin.ts";
import type { Agent, StartAgentOptions } from "../../src/agent/lifecycle/agent-parts.ts";
import { prepareAgent } from "../../src/agent/lifecycle/prepare.ts";
import { startAgent } from "../../src/agent/lifecycle/run.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { LiveSession } from "../../src/wire/agent-sync.ts";

/** Says hello in SSH's way to whoever gets through, and remembers what the agent asked of it. */
export class FakeSsh implements SshServer {
  readonly world: ServerContext;
  readonly accepted: StreamOrigin[] = [];
  readonly killed: string[] = [];
  live: LiveSession[] = [];
  rechecks = 0;
  isClosed = false;

  constructor(world: ServerContext) {
    this.world = world;
  }

  accept(stream: Duplex, origin: StreamOrigin): void {
    this.accepted.push(origin);
    stream.on("error", () => {});
    stream.on("data", () => {});
    stream.on("end", () => stream.end());
    stream.write("SSH-2.0-fake\r\n");
  }

  isIdle(): boolean {
    return this.live.length === 0;
  }

  sessions(): LiveSession[] {
    return this.live;
  }

  recheck(): void {
    this.rechecks += 1;
  }

  kill(connectionId: string): boolean {
    this.killed.push(connectionId);
    return true;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

export interface TestAgent extends Agent {
  readonly ssh: FakeSsh;
}

/** Enrols `stateDir` as `qf agent up` does. */
export function prepareTestAgent(stateDir: string, given: FlagChange, setupKey?: string) {
  const listen = { listen: "127.0.0.1:0", sshServer: true, name: "web1" };
  return prepareAgent({
    stateDir,
    given: { ...listen, ...given },
    setupKey,
    signIn: undefined,
    clock: systemClock,
    log: silentLog,
  });
}

/** Starts the agent of an enrolled `stateDir`; its link beats quickly. */
export async function startTestAgent(
  stateDir: string,
  change: Partial<StartAgentOptions> = {},
): Promise<TestAgent> {
  let ssh: FakeSsh | undefined;
  const agent = await startAgent({
    stateDir,
    log: silentLog,
    heartbeatMs: 200,
    createSshServer: (world) => {
      ssh = new FakeSsh(world);
      return ssh;
    },
    ...change,
  });
  if (ssh === undefined) throw new Error("the agent made no SSH server");
  return Object.assign(agent, { ssh });
}
