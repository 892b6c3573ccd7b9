/**
 * A successor's first step: it takes over from the agent that runs on its state folder, if that agent expects
 * a successor.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { connect } from "node:net";
import { VERSION } from "../../base/build-info.ts";
import { connectDescriptorSocket, receiveDescriptor } from "../../base/descriptors.ts";
import { parseJson } from "../../base/files.ts";
import { type Log, silentLog } from "../../base/log.ts";
import { HandoverAnswer, type HandoverRequest, type Inheritance } from "../../wire/handover.ts";
import type { Inherited } from "../contracts/inherited.ts";

/** How long an agent may take to give everything up. It first finishes the writes that it has begun. */
const ANSWER_MS_MAX = 15_000;
const DESCRIPTOR_MS_MAX = 5_000;
const POLL_MS = 2;

/** Takes over through the run socket at `path`. Null: no agent runs there, or it expects no successor. */
export async function takeOver(path: string, log: Log = silentLog): Promise<Inherited | null> {
  const inheritance = await askFor(path, log).catch((cause: unknown) => {
    if (!isNobody(cause)) log.warn("the agent that runs could not be taken over from", {}, cause);
    return null;
  });
  if (inheritance === null) return null;
  const found: { role: string; fd: number }[] = [];
  for (const [index, { role }] of inheritance.listeners.entries()) {
    const fd = await receive(path, index).catch(() => null);
    // That agent does not take a socket back while we are here, so open a missing one anew.
    if (fd !== null) found.push({ role, fd });
    else log.warn("a listening socket was not handed over, so it is opened anew", { role });
  }
  return inheritedOf(inheritance, found);
}

/** Combines what was handed over with its listening sockets. */
export function inheritedOf(
  { bootId, startSeconds, hellos }: Inheritance,
  sockets: readonly { readonly role: string; readonly fd: number }[],
): Inherited {
  let left = [...sockets];
  return {
    bootId,
    startSeconds,
    hellos,
    take(role) {
      const found = left.find((one) => one.role === role);
      left = left.filter((one) => one !== found);
      return found?.fd;
    },
    close() {
      for (const { fd } of left) closeSync(fd);
      left = [];
    },
  };
}

/** Whether there is no socket, or only that of a killed agent. */
function isNobody(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  return code === "ENOENT" || code === "ECONNREFUSED";
}

function askFor(path: string, log: Log): Promise<Inheritance | null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(new Error("no answer")), ANSWER_MS_MAX);
    socket.on("connect", () => {
      const request: HandoverRequest = { do: "take_over", version: VERSION };
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunk.includes(0x0a)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      const text = Buffer.concat(chunks).toString("utf8").trim();
      const parsed = HandoverAnswer.safeParse(parseJson(text));
      if (!parsed.success && text !== "") {
        log.warn("what the agent that runs hands over cannot be read, so it is refused", {}, parsed.error);
      }
      resolve(parsed.data?.is === "inheritance" ? parsed.data.inheritance : null);
    });
  });
}

async function receive(path: string, index: number): Promise<number | null> {
  const request: HandoverRequest = { do: "descriptor", index };
  const socketFd = connectDescriptorSocket(path, `${JSON.stringify(request)}\n`);
  try {
    for (let waitedMs = 0; waitedMs < DESCRIPTOR_MS_MAX; waitedMs += POLL_MS) {
      const fd = receiveDescriptor(socketFd);
      if (fd !== null) return fd;
      await Bun.sleep(POLL_MS);
    }
    return null;
  } finally {
    closeSync(socketFd);
  }
}
