/**
 * Channels beside sessions: -L, -D, -W and unix sockets, and the requests that would open others.
 *
 * Each asks the same question as everything else. This build forwards nothing yet, so what policy
 * allows is refused as well, with the sentence that says so, and never dialled.
 *
 * @module
 */
import { newId } from "../../base/random.ts";
import { SshBufferError, SshReader } from "../../base/ssh-buffer.ts";
import { denialLine } from "../../policy/sentences.ts";
import { OPEN_FAILURE } from "../../sshcore/messages.ts";
import type { ChannelOpen } from "../../sshcore/server-door.ts";
import type { Action, ReasonCode } from "../../wire/decision.ts";
import type { SessionHost } from "./session-host.ts";

const HOST_BYTES_MAX = 1024;
const PATH_BYTES_MAX = 4096;
const PORT_MAX = 65_535;

/** Judges a channel that is no session, records it, and refuses it with its sentence. */
export async function refuseForward(host: SessionHost, open: ChannelOpen): Promise<void> {
  const action = actionOf(open);
  if (action === null) {
    host.door.refuseChannel(open.sender, OPEN_FAILURE.UNKNOWN_CHANNEL_TYPE, "unknown channel type");
    return;
  }
  const line = await refuse(host, action, "local_forward_disabled");
  host.door.refuseChannel(open.sender, OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, line);
}

/** Remote forwarding is asked for by a global request, whose answer has no room for a reason. */
export async function refuseRemoteForward(host: SessionHost, request: GlobalRequest): Promise<void> {
  const { name, bindAddr, bindPort, socketPath } = request;
  if (name === "tcpip-forward" && bindAddr !== undefined && bindPort !== undefined) {
    if (bindPort > PORT_MAX || bindAddr.length > HOST_BYTES_MAX) return;
    await refuse(host, { kind: "remote_forward", host: bindAddr, port: bindPort }, "remote_forward_disabled");
  } else if (name === "streamlocal-forward@openssh.com" && socketPath !== undefined) {
    if (socketPath.length > PATH_BYTES_MAX) return;
    await refuse(host, { kind: "remote_socket", path: socketPath }, "remote_forward_disabled");
  }
}

/** A global request as ssh2 reads it. */
export interface GlobalRequest {
  readonly name: string;
  readonly bindAddr?: string;
  readonly bindPort?: number;
  readonly socketPath?: string;
}

/** Agent forwarding likewise. */
export async function refuseAgent(host: SessionHost): Promise<void> {
  await refuse(host, { kind: "agent_forwarding" }, "agent_forwarding_disabled");
}

/** Policy's own reason where it refuses, `unavailable` where it would have allowed. Returns the sentence. */
async function refuse(host: SessionHost, action: Action, unavailable: ReasonCode): Promise<string> {
  const asked = host.judge(action);
  const verdict = asked.kind === "deny" ? asked : host.deny(unavailable, action);
  const receipt = newId();
  const isStored = await host.recordDecision(verdict, receipt);
  return denialLine(asked.kind === "deny" ? asked.reason : unavailable, isStored ? receipt : null);
}

/** What the channel would be, as far as it is one of those we know. */
function actionOf({ type, rest }: ChannelOpen): Action | null {
  const reader = new SshReader(rest);
  try {
    if (type === "direct-tcpip") {
      const host = reader.text(HOST_BYTES_MAX);
      const port = reader.uint32();
      return port > PORT_MAX ? null : { kind: "local_forward", host, port };
    }
    if (type === "direct-streamlocal@openssh.com") {
      return { kind: "local_socket", path: reader.text(PATH_BYTES_MAX) };
    }
    return null;
  } catch (cause) {
    if (cause instanceof SshBufferError) return null;
    throw cause;
  }
}
