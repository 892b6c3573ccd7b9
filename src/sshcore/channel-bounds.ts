/**
 * Bounds on a signed-in peer's use of the connection protocol (RFC 4254).
 *
 * ssh2 does not enforce the window, loops forever on a packet size of 0, accepts data after EOF, and answers
 * every request, even if its answers are not read. Here each of these ends the connection or is refused.
 *
 * @module
 */
import { SshReader } from "../base/ssh-buffer.ts";
import { type PatchedConnection, sidesOf } from "./patched-ssh2.ts";
import { isUnknownMessage, PERMITTED, type Role, SSH } from "./permitted.ts";
import {
  CHANNEL_PACKET_BYTES_MAX,
  CHANNEL_PACKET_BYTES_MIN,
  CHANNEL_TYPE_BYTES_MAX,
  PING_BYTES_MAX,
  WINDOW_MAX,
  type WireLimits,
} from "./wire-limits.ts";

/** Null: pass the message on. "drop": discard it. `wrong`: the peer's violation. */
export type FrameCheck = null | "drop" | { readonly wrong: string };

const RESOURCE_SHORTAGE = 4;
const CONNECT_FAILED = 2;
/** Header bytes of CHANNEL_DATA and of CHANNEL_EXTENDED_DATA. */
const DATA_HEADER_BYTES = 9;
const EXTENDED_HEADER_BYTES = 13;

/** Judges messages of an open connection. Throws SshBufferError when one is malformed. */
export function createChannelBounds(connection: PatchedConnection, role: Role, limits: WireLimits) {
  const protocol = connection._protocol;
  const permitted = new Set(PERMITTED[role].open);
  let unanswered = 0;
  for (const name of ["requestSuccess", "requestFailure"] as const) {
    const answer = protocol[name];
    protocol[name] = (...args) => {
      unanswered = Math.max(0, unanswered - 1);
      answer.apply(protocol, args);
    };
  }

  return function checkFrame(type: number, payload: Buffer): FrameCheck {
    switch (type) {
      case SSH.CHANNEL_DATA:
        return judgeData(connection, payload, DATA_HEADER_BYTES);
      case SSH.CHANNEL_EXTENDED_DATA:
        // Clients do not send it, and ssh2's server ignores it.
        return role === "server" ? "drop" : judgeData(connection, payload, EXTENDED_HEADER_BYTES);
      case SSH.CHANNEL_WINDOW_ADJUST:
        return judgeAdjust(connection, payload);
      case SSH.CHANNEL_OPEN:
        return judgeOpen(connection, payload, limits);
      case SSH.CHANNEL_OPEN_CONFIRMATION:
        return judgeConfirmation(connection, payload);
      case SSH.GLOBAL_REQUEST: {
        const reader = new SshReader(payload.subarray(1));
        reader.text(CHANNEL_TYPE_BYTES_MAX);
        if (reader.uint8() !== 0) unanswered++;
        return unanswered > limits.unansweredMax ? { wrong: "a flood of requests" } : null;
      }
      case SSH.PING:
        return payload.length > 5 + PING_BYTES_MAX ? { wrong: "a ping that is too long" } : null;
      case SSH.USERAUTH_REQUEST:
        return role === "server" ? "drop" : { wrong: "a request to sign in" };
    }
    if (permitted.has(type)) return null;
    if (!isUnknownMessage(type)) return { wrong: `message ${type} out of its place` };
    // ssh2 has already counted the packet.
    protocol.unimplemented(((protocol._decipher?.inSeqno ?? 1) - 1) >>> 0);
    return "drop";
  };
}

function judgeData(connection: PatchedConnection, payload: Buffer, headerBytes: number): FrameCheck {
  if (payload.length < headerBytes) return { wrong: "data cut short" };
  const sides = sidesOf(connection, payload.readUInt32BE(1));
  if (sides === undefined) return "drop";
  if (sides.incoming.state !== "open") return { wrong: "data after its end" };
  const length = payload.readUInt32BE(headerBytes - 4);
  if (length !== payload.length - headerBytes) return { wrong: "data of another length" };
  // The maximum that ssh2's channels announce. Longer packets are for requests.
  if (length > CHANNEL_PACKET_BYTES_MAX) return { wrong: "data beyond the packet size" };
  return length > sides.incoming.window ? { wrong: "data beyond the window" } : null;
}

function judgeAdjust(connection: PatchedConnection, payload: Buffer): FrameCheck {
  if (payload.length !== 9) return { wrong: "a malformed window adjustment" };
  const sides = sidesOf(connection, payload.readUInt32BE(1));
  if (sides === undefined) return "drop";
  const window = sides.outgoing.window + payload.readUInt32BE(5);
  return window > WINDOW_MAX ? { wrong: "a window beyond 4 GiB" } : null;
}

function judgeOpen(connection: PatchedConnection, payload: Buffer, limits: WireLimits): FrameCheck {
  const reader = new SshReader(payload.subarray(1));
  reader.text(CHANNEL_TYPE_BYTES_MAX);
  const sender = reader.uint32();
  reader.uint32();
  const at = 1 + reader.position;
  const packetBytes = reader.uint32();
  const protocol = connection._protocol;
  if (packetBytes < CHANNEL_PACKET_BYTES_MIN) {
    protocol.channelOpenFail(sender, CONNECT_FAILED, "maximum packet size too small", "");
    return "drop";
  }
  if (connection._chanMgr._count >= limits.channelsMax) {
    protocol.channelOpenFail(sender, RESOURCE_SHORTAGE, "too many channels", "");
    return "drop";
  }
  if (packetBytes > CHANNEL_PACKET_BYTES_MAX) payload.writeUInt32BE(CHANNEL_PACKET_BYTES_MAX, at);
  return null;
}

function judgeConfirmation(connection: PatchedConnection, payload: Buffer): FrameCheck {
  if (payload.length < 17) return { wrong: "a malformed confirmation" };
  if (typeof connection._chanMgr._channels[payload.readUInt32BE(1)] !== "function") {
    return { wrong: "a confirmation that nobody waits for" };
  }
  const packetBytes = payload.readUInt32BE(13);
  if (packetBytes < CHANNEL_PACKET_BYTES_MIN) return { wrong: "a maximum packet size that is too small" };
  if (packetBytes > CHANNEL_PACKET_BYTES_MAX) payload.writeUInt32BE(CHANNEL_PACKET_BYTES_MAX, 13);
  return null;
}
