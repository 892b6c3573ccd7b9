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
  const asked = host.judge(action);
  const verdict = asked.kind === "deny" ? asked : host.deny("local_forward_disabled", action);
  const reason: ReasonCode = verdict.kind === "deny" ? verdict.reason : "local_forward_disabled";
  const receipt = newId();
  const isStored = await host.recordDecision(verdict, receipt);
  const line = denialLine(reason, isStored ? receipt : null);
  host.door.refuseChannel(open.sender, OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, line);
}

/** Remote forwarding is asked for by a global request, which has no room for a reason. */
export function refuseGlobalRequest(reject: (() => void) | undefined): void {
  reject?.();
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
