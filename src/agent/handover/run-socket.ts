/**
 * The run socket of a running agent: predecessors that still serve sessions stay connected to it, and a
 * successor takes over by it.
 *
 * It lies in a folder that only root and the agent's own user may enter, so the kernel says who comes in.
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
  /** Gives everything up. Null: no successor is expected. May be asked again by another successor. */
  handOver(): Promise<Inheritance | null>;
  /** The listening socket of that number in what was handed over. */
  descriptor(index: number): number | undefined;
  /** Whether another agent runs by now. */
  hasHandedOver(): boolean;
}

export interface RunSocket {
  /** `isLeft`: a successor listens at the same path. */
  close(how?: { readonly isLeft: boolean }): Promise<void>;
}

/** Its path: in the folder that only root and the agent's own user may enter. */
export function runSocketPath(controlSocket: string): string {
  return join(dirname(controlSocket), "own", "run.sock");
}

/** Connections at once. */
const CONNECTIONS_MAX = 64;

/** Listens at `path`, in the place of an earlier agent's. */
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
