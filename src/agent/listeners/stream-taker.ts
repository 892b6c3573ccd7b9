/**
 * Passes a stream whose hello was accepted to the SSH server, or to the part that answers `qf ping`.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { type Hello, PING_PORT } from "../../wire/hello.ts";
import type { SshServer } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import type { PeerPaths } from "./peer-paths.ts";
import type { Pings } from "./pings.ts";

/** Takes over `stream`, which is paused and still holds everything after the hello. */
export type TakeStream = (
  stream: Duplex,
  hello: Hello,
  origin: Omit<StreamOrigin, "sourcePeerId" | "via">,
) => void;

/** A stream that carries another program's bytes does not speak for the device that dials. */
function sourceOf({ source, via }: Hello): Pick<StreamOrigin, "sourcePeerId" | "via"> {
  return via === undefined
    ? { sourcePeerId: source }
    : { sourcePeerId: null, via: { ...via, peerId: source } };
}

export function createStreamTaker(deps: {
  readonly ssh: SshServer;
  readonly pings: Pings;
  readonly paths: PeerPaths;
}): TakeStream {
  return (stream, hello, origin) => {
    if (origin.path === "direct" || origin.path === "relay")
      deps.paths.add(hello.source, origin.path, stream);
    if (hello.port === PING_PORT) deps.pings.accept(stream, hello);
    else deps.ssh.accept(stream, { ...origin, ...sourceOf(hello) });
  };
}
