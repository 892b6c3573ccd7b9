/**
 * Channels of a server's connection that are no sessions: accepting one that the client asked for, later than
 * ssh2 would, and asking the client for one.
 *
 * ssh2 answers an open at once, and with no reason of ours. Here the open is judged first, and ssh2 gets the
 * message only when it is accepted.
 *
 * @module
 */
import type { Connection, ServerChannel } from "ssh2";
import { SshWriter } from "../base/ssh-buffer.ts";
import { MESSAGE } from "./messages.ts";
import { channelManagerOf, protocolOf, sendMessage } from "./ssh2-internals.ts";

/** What a client says when it asks for a channel, the number of its own side first. */
export interface OpenFields {
  readonly type: string;
  readonly sender: number;
  readonly window: number;
  readonly packetSize: number;
}

/** ssh2's own, which its channels announce. */
const WINDOW = 2 * 1024 * 1024;
const PACKET_SIZE = 32 * 1024;
/** What ssh2 says of an open that it would ask its user about. */
const EVENTS: Readonly<Record<string, "tcpip" | "openssh.streamlocal">> = {
  "direct-tcpip": "tcpip",
  "direct-streamlocal@openssh.com": "openssh.streamlocal",
};

/** Confirms a direct channel. Null when there is no number left for it, or the connection has ended. */
export function acceptChannel(connection: Connection, open: OpenFields): ServerChannel | null {
  const event = EVENTS[open.type];
  if (event === undefined) return null;
  const emitter = connection as unknown as NodeJS.EventEmitter;
  let channel: ServerChannel | null = null;
  const take = (accept: () => ServerChannel | undefined): void => {
    channel = accept() ?? null;
  };
  emitter.once(event, take);
  const protocol = protocolOf(connection);
  protocol._handlers.CHANNEL_OPEN(protocol, { ...open, data: {} });
  emitter.off(event, take);
  return channel;
}

/**
 * Asks the client for a channel. Null when it refuses, or the connection ends. `fields`: what the type adds.
 */
export function openChannel(
  connection: Connection,
  type: string,
  fields: Uint8Array,
): Promise<ServerChannel | null> {
  return new Promise((resolve) => {
    const answer = Object.assign(
      (error: Error | undefined, channel?: ServerChannel) => resolve(error ? null : (channel ?? null)),
      { type },
    );
    const id = channelManagerOf(connection).add(answer);
    if (id === -1) return resolve(null);
    const head = new SshWriter().uint8(MESSAGE.CHANNEL_OPEN).text(type).uint32(id);
    const message = head.uint32(WINDOW).uint32(PACKET_SIZE).toBuffer();
    sendMessage(protocolOf(connection), Buffer.concat([message, fields]));
  });
}
