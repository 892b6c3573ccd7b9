/**
 * Whatever happens in whatever order: no start without its end, nothing begun before it was stored, nothing
 * running that would be refused.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Leftovers } from "../../../src/agent/ssh-server/leftovers.ts";
import type { StartEvent } from "../../../src/agent/ssh-server/paired-events.ts";
import type { Running } from "../../../src/agent/ssh-server/permission.ts";
import { NO_FACTS, type Permit, permit } from "../../../src/agent/ssh-server/permit.ts";
import { findRevocation } from "../../../src/agent/ssh-server/recheck.ts";
import { recheck, revoke } from "../../../src/agent/ssh-server/revoke.ts";
import type { Action } from "../../../src/wire/decision.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import type { ReasonCode } from "../../../src/wire/reason.ts";
import { KernelContext, type Storing } from "../../support/kernel-context.ts";
import { unpaired } from "../../support/paired-events.ts";
import { until } from "../../support/until.ts";

/** What a client may ask for. */
const ACTIONS: readonly Action[] = [
  { kind: "shell" },
  { kind: "exec", command: "/bin/true" },
  { kind: "sftp" },
  { kind: "local_forward", host: "db", port: 5432 },
  { kind: "local_forward", host: "web", port: 443 },
  { kind: "remote_forward", host: "localhost", port: 8080 },
  { kind: "agent_forwarding" },
];

/** What a rule may say at a time. Null: there is no rule. */
const RULES: readonly (SshCapabilities | null)[] = [
  {},
  { agent_forwarding: true },
  { local_forward: [] },
  { local_forward: ["db:*"], remote_forward: [] },
  { commands: ["/bin/true"] },
  { pty: false },
  { sftp: "off" },
  { max_session_seconds: 60 },
  null,
];

type Step =
  | { readonly do: "begin"; readonly action: Action; readonly hasTerminal: boolean }
  /** The operating system takes its time, then has something against it, or has not. */
  | { readonly do: "beginSlowly"; readonly action: Action; readonly reason: ReasonCode | null }
  | { readonly do: "answer" }
  | { readonly do: "store"; readonly count: number }
  | { readonly do: "storing"; readonly storing: Storing }
  | { readonly do: "rule"; readonly capabilities: SshCapabilities | null }
  | { readonly do: "mapAge"; readonly seconds: number }
  | { readonly do: "time"; readonly seconds: number }
  | { readonly do: "recheck" | "kill" | "leave" }
  | { readonly do: "finish"; readonly which: number };

const action = fc.constantFrom(...ACTIONS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("begin" as const), action, hasTerminal: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ do: fc.constant("beginSlowly" as const), action },
      reason: fc.constantFrom<(ReasonCode | null)[]>(null, "account_locked"),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "answer" }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("store" as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("storing" as const),
      storing: fc.constantFrom<Storing[]>("at once", "when released", "ERR_UNAVAILABLE", "ERR_TOO_MANY"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("rule" as const), capabilities: fc.constantFrom(...RULES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("mapAge" as const), seconds: fc.constantFrom(0, 3_601) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("time" as const), seconds: fc.constantFrom(1, 30, 60) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "recheck" }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("finish" as const), which: fc.nat({ max: 7 }) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: "kill" }, { do: "leave" }) },
);

type Begun = Permit<"session.start" | "forward.open", object>;

/**
 * The mechanisms of one connection, played: they run what they were permitted to, and say when it has ended.
 */
class Played {
  readonly world = new KernelContext();
  readonly leftovers = new Leftovers();
  /** What mechanisms have begun, and not ended. */
  readonly begun = new Set<Begun>();
  readonly #slow: (() => void)[] = [];
  readonly #asked: Promise<unknown>[] = [];
  /** What was wrong at the moment in which something was let run. */
  readonly wrong: string[] = [];
  #count = 0;

  constructor() {
    const { world } = this;
    for (const name of ["try", "prove"] as const) world.state.take(name);
    this.#watch();
    world.containment.killAll = async () => {
      this.#endAll();
      return true;
    };
  }

  async do(next: Step): Promise<void> {
    const { world } = this;
    switch (next.do) {
      case "begin":
        return this.#begin(next.action, next.hasTerminal, async () => ({}));
      case "beginSlowly": {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#slow.push(resolve);
        return this.#begin(next.action, false, async () => {
          await promise;
          return next.reason ?? {};
        });
      }
      case "answer":
        return this.#slow.shift()?.();
      case "store":
        return world.release(next.count);
      case "storing":
        world.storing = next.storing;
        // What was being written is refused with the rest, or goes through: here it goes through.
        if (next.storing !== "when released") world.release();
        return;
      case "rule":
        if (next.capabilities === null) world.change((map) => ({ ...map, rules: {} }));
        else world.allow(next.capabilities);
        return;
      case "mapAge":
        world.mapAgeSeconds = next.seconds;
        return recheck(world);
      case "time":
        world.clock.advanceMs(next.seconds * 1_000);
        return recheck(world);
      case "recheck":
        return recheck(world);
      case "kill":
        void revoke(world, "session_killed");
        return;
      case "leave":
        return this.#leave();
      case "finish":
        return this.#finish([...this.begun][next.which % Math.max(1, this.begun.size)]);
    }
  }

  /** Lets all come to its end: answers, stores, leaves, and stops the agent. */
  async stop(): Promise<void> {
    this.world.storing = "at once";
    while (this.#slow.length > 0) this.#slow.shift()?.();
    this.world.release();
    await turns();
    if (!this.world.state.is("closed")) this.#leave();
    this.leftovers.add(this.world.permits);
    await Promise.all(this.#asked);
    await this.leftovers.settle("ssh_disabled", 1);
    // Ends that could not be stored are tried again in a moment.
    await until("all ends are stored", () => this.world.permits.running.size === 0);
  }

  #leave(): void {
    this.world.leave();
    // Forwards end with their connection; programs may go on.
    for (const one of [...this.begun]) if (one.start.type === "forward.open") this.#finish(one);
  }

  #endAll(): void {
    for (const one of [...this.begun]) this.#finish(one);
  }

  #finish(one: Begun | undefined): void {
    if (one === undefined) return;
    this.begun.delete(one);
    const isSession = one.start.type === "session.start";
    void one.end(
      (isSession ? { exitStatus: 0, signal: null } : { bytesIn: 1, bytesOut: 2, reason: null }) as never,
    );
  }

  #begin(asked: Action, hasTerminal: boolean, facts: () => Promise<object | ReasonCode>): void {
    const wanted = {
      ...{ action: asked, facts },
      also: hasTerminal ? ({ kind: "pty" } as const) : undefined,
      refuse: (capabilities: SshCapabilities) =>
        hasTerminal && capabilities.pty === false ? ("pty_not_allowed" as const) : null,
    };
    const start = startOf(asked, this.#count++);
    const answer = permit(this.world.permits, wanted, () => start).then((one) => {
      // A mechanism that finds its connection ended does what it would do with a program that it cannot
      // start.
      if (one.kind === "permit") this.begun.add(one);
      if (one.kind === "permit" && this.world.killed) this.#finish(one);
    });
    this.#asked.push(answer);
  }

  /** Sees each moment in which something is let run. */
  #watch(): void {
    const { running } = this.world.permits;
    const add = running.add.bind(running);
    running.add = (one: Running) => {
      const { start } = one as Begun;
      const isStored = this.world.events.some(
        (event) => event.type === start.type && JSON.stringify(event).includes(marked(start)),
      );
      if (!isStored) this.wrong.push(`${marked(start)} began before it was stored`);
      if (this.world.state.isOver) this.wrong.push(`${marked(start)} began in what is over`);
      add(one);
      if (this.refused() !== null) this.wrong.push(`${marked(start)} began refused: ${this.refused()}`);
      return running;
    };
  }

  /** Why something that runs would be refused now. Null: nothing is. */
  refused(): ReasonCode | null {
    return findRevocation(this.world.permits, this.world.lastActivityMs);
  }
}

/** Each start has a number of its own. */
function startOf(asked: Action, number: number): StartEvent & { type: "session.start" | "forward.open" } {
  if (asked.kind === "shell" || asked.kind === "exec" || asked.kind === "sftp")
    return {
      ...{
        type: "session.start",
        sessionId: number,
        kind: asked.kind,
        command: null,
        argv: null,
        pty: false,
      },
    };
  return { type: "forward.open", kind: "local", destination: asked.kind, forwardId: number };
}

function marked(start: Partial<StartEvent>): string {
  if (start.type === "session.start") return `"sessionId":${start.sessionId},`;
  return start.type === "forward.open" ? `"forwardId":${start.forwardId},` : '"connection.open"';
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
}

test("no start is without its end, nothing begins before it is stored, nothing runs that is refused", async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1 }),
      async (list, pauses) => {
        const played = new Played();
        const { world } = played;
        const connection = await permit<"connection.open", object>(
          world.permits,
          { action: { kind: "connect" }, facts: NO_FACTS },
          () => ({
            ...{ type: "connection.open", devicePeerId: null, localUser: "deploy", path: "direct" },
            ...{ sourceAddress: "", clientVersion: "", certificateSerial: null, ruleId: null },
          }),
        );
        if (connection.kind !== "permit") throw new Error("nobody is in");
        world.state.take("admit");
        for (const [index, next] of list.entries()) {
          await played.do(next);
          // Not always until all is quiet: what is under way meets what comes next.
          for (let left = pauses[index % pauses.length] ?? 0; left > 0; left--) await Promise.resolve();
          expect(played.wrong).toEqual([]);
          if (!world.state.isOver) expect(played.refused()).toBeNull();
        }
        await played.stop();
        expect(played.wrong).toEqual([]);
        expect(unpaired(world.events)).toEqual([]);
        const starts = world.events.filter(({ type }) => type === "session.start" || type === "forward.open");
        const allows = world.events.filter((event) => event.type === "decision" && event.receipt === null);
        // The connection's own is among the decisions.
        expect(allows.length).toBe(starts.length + 1);
        expect(world.permits.running.size).toBe(0);
      },
    ),
    { numRuns: 400 },
  );
}, 60_000);
