/**
 * The outgoing agent's part of a handover. It gives up its sockets, links, spool and lock, and keeps its
 * sessions.
 *
 * Listening sockets stay open until the successor serves, so that new connections wait in the kernel instead
 * of being refused. Read `handOver`.
 *
 * @module
 */
import { closeSync } from "node:fs";
import type { Spool } from "../../audit/spool-contract.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import type { Inheritance } from "../../wire/handover.ts";
import type { SshServer } from "../contracts/server-context.ts";
import type { ApprovalLink } from "../control-link/approvals.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import type { SyncClient } from "../control-link/sync-client.ts";
import type { ControlServer } from "../control-socket/control-server.ts";
import type { Listeners } from "../listeners/listeners.ts";
import type { StdioListener } from "../listeners/stdio-listener.ts";
import { duplicate } from "../os/libc.ts";
import type { StateLock } from "../state/state-lock.ts";
import { Drain } from "./drain.ts";
import type { Predecessors } from "./predecessors.ts";
import { createRemoteSink, type SwitchableSink } from "./remote-sink.ts";
import type { RunSocket } from "./run-socket.ts";

/** The parts of an agent: those it gives up and those it keeps. */
export interface Leaving {
  readonly clock: Clock;
  readonly log: Log;
  readonly bootId: string;
  readonly runPath: string;
  readonly watch: { stop(): void };
  /** Local programs (`agent/intercept/local-programs.ts`), which the successor serves. */
  readonly programs: { close(): Promise<void> };
  readonly listeners: Listeners;
  readonly ssh: SshServer;
  readonly maps: MapHolder;
  readonly sink: SwitchableSink;
  readonly approvals: ApprovalLink;
  readonly predecessors: Predecessors;
  readonly sync: SyncClient;
  readonly control: ControlServer;
  readonly stdio: StdioListener;
  readonly runSocket: RunSocket;
  readonly spool: Spool;
  readonly lock: StateLock;
  onFlags(flags: AgentFlagsStored): void;
}

export interface HandedOver {
  readonly inheritance: Inheritance;
  readonly drain: Drain;
  isFollowed(): boolean;
  /** The listening sockets, in the order of `inheritance`. Empty once a successor serves. */
  descriptors(): readonly number[];
}

/** Resolves once everything is given up. A part that fails is only logged, since there is no way back. */
export async function handOver(leaving: Leaving): Promise<HandedOver> {
  const { listeners, sync, maps, sink, spool, lock, predecessors, log } = leaving;
  leaving.watch.stop();
  const listening = listeners.listening();
  const fds = listening.map(({ fd }) => duplicate(fd));
  listeners.leave();
  const remote = createRemoteSink();
  sink.switchTo(remote);
  for (const step of [
    () => sync.close({ isLeft: true }),
    () => leaving.programs.close(),
    () => predecessors.close(),
    () => maps.flush(),
    () => maps.detach(),
    () => spool.close(),
    () => lock.release(),
  ]) {
    await attempt(log, step);
  }
  let isFollowed = false;
  const drain = new Drain({
    ...leaving,
    path: leaving.runPath,
    sink: remote,
    onFollowed: () => {
      isFollowed = true;
      for (const fd of fds.splice(0)) closeSync(fd);
      void letGo(leaving);
    },
  });
  void drain.ended.then(() => {
    for (const fd of fds.splice(0)) closeSync(fd);
    if (!isFollowed) void letGo(leaving);
  });
  const inheritance = {
    bootId: leaving.bootId,
    ...listeners.gate.known(),
    listeners: listening.map(({ role, address }) => ({ role, address })),
  };
  return { inheritance, drain, isFollowed: () => isFollowed, descriptors: () => fds };
}

/** Closes the sockets at paths where the successor listens by now. */
async function letGo({ control, stdio, runSocket, log }: Leaving): Promise<void> {
  await attempt(log, () => control.close({ isLeft: true }));
  await attempt(log, () => stdio.close({ isLeft: true }));
  await attempt(log, () => runSocket.close({ isLeft: true }));
}

async function attempt(log: Log, step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (cause) {
    log.error("a part of the agent was not handed over well", {}, cause);
  }
}
