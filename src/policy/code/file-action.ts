/**
 * Conversion between actions as files and command lines write them and actions as `decide` takes them.
 *
 * @module
 */
import type { Action } from "../../wire/decision.ts";
import type { FileAction } from "../../wire/policy-file.ts";

/** The action that `written` means. Null: its HOST:PORT has no port. */
export function actionOf(written: FileAction): Action | null {
  if (typeof written === "string") return { kind: written };
  if ("exec" in written) return { kind: "exec", command: written.exec };
  if ("forward" in written) return forwardOf("local_forward", written.forward);
  if ("remote_forward" in written) return forwardOf("remote_forward", written.remote_forward);
  if ("forward_socket" in written) return { kind: "local_socket", path: written.forward_socket };
  return { kind: "remote_socket", path: written.remote_forward_socket };
}

/** `action` as a file writes it. An action that no file can ask for is `connect`. */
export function fileActionOf(action: Action): FileAction {
  switch (action.kind) {
    case "exec":
      return { exec: action.command };
    case "local_forward":
      return { forward: targetOf(action) };
    case "remote_forward":
      return { remote_forward: targetOf(action) };
    case "local_socket":
      return { forward_socket: action.path };
    case "remote_socket":
      return { remote_forward_socket: action.path };
    case "x11_forwarding":
      return "connect";
    default:
      return action.kind;
  }
}

/** One action on one line: `connect`, `exec /usr/bin/uptime`, `forward db:5432`. */
export function actionText(action: Action): string {
  const written = fileActionOf(action);
  if (typeof written === "string") return written;
  return Object.entries(written)
    .map(([kind, about]) => `${kind} ${about}`)
    .join(" ");
}

function forwardOf(kind: "local_forward" | "remote_forward", target: string): Action | null {
  const at = target.lastIndexOf(":");
  const port = Number(target.slice(at + 1));
  if (!(port >= 1 && port <= 65_535)) return null;
  return { kind, host: target.slice(0, at).replace(/^\[|\]$/g, ""), port };
}

function targetOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
