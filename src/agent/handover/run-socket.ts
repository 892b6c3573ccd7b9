/**
 * The running agent's run socket. Predecessors that still serve sessions stay connected to it, and a
 * successor takes over through it.
 *
 * Only root and the agent's own user may enter its folder, so the kernel authenticates peers.
 *
 * @module
 */
import { chmod, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Socket } from "bun";
import { sendDescriptor } from "../../base/descriptors.ts";
import { makeDirectory } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import { type HandoverAnswer, HandoverRequest, type Inheritance } from "../../wire/handover.ts";
import { LineSocket } from "./line-socket.ts";
import type { Predecessors } from "./predecessors.ts";

export interface RunSocketOptions {
  readonly log: Log;
  readonly predecessors: Predecessors;
  /** Hands the agent over. Null: no successor is expected. Another successor may ask again. */
  handOver(): Promise<Inheritance | null>;
  /** The listening socket at `index` of what was handed over. */
  descriptor(index: number): number | undefined;
  /** Whether this agent has been handed over to another. */
  hasHandedOver(): boolean;
}

export interface RunSocket {
  /** `isLeft`: a successor listens at the same path, so the file stays. */
  close(how?: { readonly isLeft: boolean }): Promise<void>;
}

/** Path of the run socket, in the folder that only root and the agent's own user may enter. */
export function runSocketPath(controlSocket: string): string {
  return join(dirname(controlSocket), "own", "run.sock");
}

/** Connections at once. */
const CONNECTIONS_MAX = 64;

/** Listens at `path`, replacing an earlier agent's socket. */
export async function openRunSocket(path: string, options: RunSocketOptions): Promise<RunSocket> {
  const folder = dirname(path);
  const temporary = join(folder, "run.new");
  await makeDirectory(folder, 0o700);
  await chmod(folder, 0o700);
  await unlink(temporary).catch(() => {});
  const open = new Set<LineSocket>();
  const server = Bun.listen<LineSocket>({
    unix: temporary,
    socket: {
      open(socket) {
        socket.data = new LineSocket(socket as Socket<unknown>);
        open.add(socket.data);
        if (open.size > CONNECTIONS_MAX) socket.terminate();
      },
      data(socket, chunk) {
        for (const value of socket.data.take(chunk)) void take(socket.data, value, options);
      },
      drain: (socket) => socket.data.flush(),
      close(socket) {
        open.delete(socket.data);
        options.predecessors.remove(socket.data);
      },
      error() {},
    },
  });
  await rename(temporary, path);
  return {
    async close({ isLeft = false } = { isLeft: false }) {
      server.stop(false);
      for (const lines of open) lines.close();
      if (!isLeft) await unlink(path).catch(() => {});
    },
  };
}

async function take(lines: LineSocket, value: unknown, options: RunSocketOptions): Promise<void> {
  const parsed = HandoverRequest.safeParse(value);
  if (!parsed.success) {
    options.log.error("an agent of another build says what this one cannot read", {}, parsed.error);
    lines.close();
    return;
  }
  const request = parsed.data;
  if (request.do === "take_over") {
    const inheritance = await options.handOver().catch((cause: unknown) => {
      options.log.error("this agent could not be handed over", {}, cause);
      return null;
    });
    const answer: HandoverAnswer =
      inheritance === null ? { is: "refused" } : { is: "inheritance", inheritance };
    lines.send(answer);
  } else if (request.do === "descriptor") {
    const fd = options.descriptor(request.index);
    if (fd === undefined) lines.close();
    else sendDescriptor(lines.fd, fd);
  } else if (options.hasHandedOver()) lines.close();
  else options.predecessors.take(lines, request);
}
