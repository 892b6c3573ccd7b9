/** A run socket in this process, and predecessors by hand. */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { MapHolder } from "../../src/agent/control-link/map-holder.ts";
import { Predecessors } from "../../src/agent/handover/predecessors.ts";
import { openRunSocket, type RunSocket, runSocketPath } from "../../src/agent/handover/run-socket.ts";
import { silentLog } from "../../src/base/log.ts";
import type { AgentFlagsStored } from "../../src/wire/agent-state-file.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import type { HandoverAnswer, HandoverRequest, Inheritance } from "../../src/wire/handover.ts";
import { tempFolder } from "./temp-folder.ts";

/** What a test has opened. */
export const open: { close(): unknown }[] = [];
export async function closeOpened(): Promise<void> {
  for (const one of open.splice(0)) await one.close();
}

const flags = {} as AgentFlagsStored;

export async function serveRunSocket(
  given: { inheritance?: Inheritance | null; fd?: number; hasHandedOver?: boolean } = {},
) {
  const path = runSocketPath(join(tempFolder(), "control.sock"));
  const stored: AgentEventBody[] = [];
  const asked: unknown[] = [];
  const maps = {
    onChange: () => () => {},
    snapshot: () => null,
    position: () => ({ epoch: 1, version: 1 }),
    ageSeconds: () => Number.POSITIVE_INFINITY,
  } as unknown as MapHolder;
  const predecessors = new Predecessors({
    log: silentLog,
    maps,
    audit: { record: async (body) => void stored.push(body) },
    flags: () => flags,
    onHello: (hello) => asked.push(hello),
    ask: (message) => asked.push(message),
  });
  const socket: RunSocket = await openRunSocket(path, {
    log: silentLog,
    predecessors,
    handOver: async () => given.inheritance ?? null,
    descriptor: () => given.fd,
    hasHandedOver: () => given.hasHandedOver ?? false,
  });
  open.push(socket, predecessors);
  return { path, predecessors, stored, asked };
}

/** A predecessor, by hand. */
export async function dialRunSocket(
  path: string,
): Promise<{ socket: Socket; heard: HandoverAnswer[]; say(r: unknown): void }> {
  const socket = connect({ path });
  const heard: HandoverAnswer[] = [];
  let text = "";
  socket
    .on("error", () => {})
    .on("data", (data) => {
      text += data;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      heard.push(...lines.map((line) => JSON.parse(line) as HandoverAnswer));
    });
  await new Promise((resolve) => socket.once("connect", resolve));
  open.push({ close: () => socket.destroy() });
  return { socket, heard, say: (request) => void socket.write(`${JSON.stringify(request)}\n`) };
}

export const DRAIN: HandoverRequest = { do: "drain", pid: 4711, epoch: 1, version: 1 };
export const EVENT = { type: "agent.state", what: "started", detail: "" } as const;
