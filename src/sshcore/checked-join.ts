/**
 * Joins an SSH program and the stream to a peer, for programs that we do not configure. The program must
 * speak SSH, and the peer must show a host key that management named.
 *
 * So a browser's request never reaches the peer, and a program that accepts any host key never reaches
 * another machine. Back-pressure works both ways.
 *
 * @module
 */
import { type Duplex, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { QfError } from "../base/errors.ts";
import { createHostKeyCheck, type HostKeyCheck } from "./host-key-check.ts";

/** RFC 4253 section 4.2: how a client begins. */
const CLIENT_FIRST = Buffer.from("SSH-2.0-");

/**
 * Takes over both and relays bytes until both have ended or one is gone. Throws ERR_USAGE for a program that
 * does not speak SSH, and ERR_HOST_KEY_MISMATCH for a peer with another host key. Then nothing more is
 * relayed.
 */
export async function joinChecked(options: {
  readonly program: Duplex;
  readonly peer: Duplex;
  /** Blobs in base64, from management. */
  readonly hostKeys: readonly string[];
  readonly milestone?: Milestone;
}): Promise<void> {
  const { program, peer, hostKeys, milestone } = options;
  const check = createHostKeyCheck(hostKeys.map((key) => Buffer.from(key, "base64")));
  const noteSent = createMilestone(check, milestone);
  const ways = [pipeline(program, sshOnly(noteSent), peer), pipeline(peer, namedHostKeyOnly(check), program)];
  const outcomes = await Promise.allSettled(ways);
  program.destroy();
  peer.destroy();
  for (const outcome of outcomes) {
    if (outcome.status === "rejected" && outcome.reason instanceof QfError) throw outcome.reason;
  }
}

/** Calls `reached` once, when the program has sent more than `bytes` after the peer's host key was seen. */
interface Milestone {
  readonly bytes: number;
  readonly reached: () => void;
}

function createMilestone(check: HostKeyCheck, milestone: Milestone | undefined): (bytes: number) => void {
  let left = milestone?.bytes ?? -1;
  return (bytes) => {
    if (left < 0 || !check.isDone) return;
    left -= bytes;
    if (left < 0) milestone?.reached();
  };
}

function sshOnly(noteSent: (bytes: number) => void): Transform {
  let first = Buffer.alloc(0);
  let isOpen = false;
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      noteSent(bytes.length);
      if (isOpen) return done(null, bytes);
      first = Buffer.concat([first, bytes]);
      const seen = first.subarray(0, CLIENT_FIRST.length);
      if (!seen.equals(CLIENT_FIRST.subarray(0, seen.length))) return done(notSsh());
      if (first.length < CLIENT_FIRST.length) return done();
      isOpen = true;
      done(null, first);
    },
  });
}

function namedHostKeyOnly(check: HostKeyCheck): Transform {
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      if (check.isDone) return done(null, bytes);
      const passed = check.push(bytes);
      if (passed === null) return done(otherHostKey());
      if (passed.length > 0) done(null, passed);
      else done();
    },
  });
}

function notSsh(): QfError {
  return new QfError("ERR_USAGE", "a program that does not speak SSH was turned away");
}

function otherHostKey(): QfError {
  return new QfError("ERR_HOST_KEY_MISMATCH", "the peer has another host key than management says", {
    hint: "connect again; if it stays, the machine was enrolled anew, or something stands in between",
  });
}
