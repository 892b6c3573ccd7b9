/**
 * Listeners of forwards: what they bind, and the channel that each accepted connection becomes.
 *
 * @module
 */
import type { ServerChannel } from "ssh2";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import type { Accepted, ForwardHelper, Listening } from "../os/forward-helper.ts";
import { bindAddresses, type ForwardAction, forwardedFields } from "./destination.ts";

/** How long a client may take to answer for a connection to its listener. */
const CLIENT_TIMEOUT_MS = 30_000;

/** Has the helper listen at `action`'s address. Throws ForwardHelperError. */
export function openListener(
  helper: ForwardHelper,
  action: ForwardAction,
  onAccepted: (accepted: Accepted) => void,
): Promise<Listening> {
  if (action.kind === "remote_forward")
    return helper.listen(bindAddresses(action.host), action.port, onAccepted);
  if (action.kind === "remote_socket") return helper.listenSocket(action.path, onAccepted);
  return helper.listenAgent(onAccepted);
}

/** Asks the client to open the channel for an accepted connection. Null: it does not. */
export async function askClient(
  transport: SshTransport,
  action: ForwardAction,
  from: Accepted,
): Promise<ServerChannel | null> {
  const { type, fields } = forwardedFields(action, from);
  const answer = transport.openChannel(type, fields);
  const timeout = Promise.withResolvers<null>();
  const timer = setTimeout(() => timeout.resolve(null), CLIENT_TIMEOUT_MS);
  const channel = await Promise.race([answer, timeout.promise]);
  clearTimeout(timer);
  // Close a channel that the client confirms too late.
  if (channel === null) void answer.then((late) => late?.close());
  return channel;
}
