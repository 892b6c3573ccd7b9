/**
 * Non-session channels of a server's connection: accepts a client's channel later than ssh2 would, and opens
 * channels to the client.
 *
 * ssh2 answers an open at once and without our reason. Here the open is decided first, and ssh2 gets the
 * message only when it is accepted.
 *
 * @module
 */
import type { Connection, ServerChannel } from "ssh2";
import { SshWriter } from "../base/ssh-buffer.ts";
import { MESSAGE } from "./messages.ts";
import { channelManagerOf, protocolOf, sendMessage } from "./ssh2-internals.ts";

/** Fields of a client's channel open; the client's channel number comes first. */
export interface OpenFields {
  readonly type: string;
  readonly sender: number;
  readonly window: number;
  readonly packetSize: number;
}

/** The window that ssh2's channels announce. */
const WINDOW = 2 * 1024 * 1024;
const PACKET_SIZE = 32 * 1024;
/** ssh2's event for each open that it would pass to its user. */
const EVENTS: Readonly<Record<string, "tcpip" | "openssh.streamlocal">> = {
  "direct-tcpip": "tcpip",
  "direct-streamlocal@openssh.com": "openssh.streamlocal",
};

/** Confirms a direct channel. Null when no channel number is free or the connection has ended. */
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
 * Opens a channel to the client. Null when it refuses or the connection ends. `fields` are specific to the
 * type.
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
