/**
 * The person's own SSH agent, for `-A`: streams from the peer lead to SSH_AUTH_SOCK and nowhere else.
 * Keys of QuFabric's are never in it, and it never signs us in.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { openUnixSocket } from "./unix-socket.ts";

/** Longest that the agent may take to take a connection. */
const DIAL_TIMEOUT_MS = 10_000;

/** What ssh2 asks for when the peer wants to reach the agent. */
export class ForwardedAgent extends ssh2.BaseAgent {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override getIdentities(done: (error: Error) => void): void {
    done(new Error("it is for the peer only"));
  }

  override sign(..._values: unknown[]): void {
    throw new Error("it is for the peer only");
  }

  override getStream(done: (error: Error | null, stream?: Duplex) => void): void {
    openUnixSocket(this.#path, DIAL_TIMEOUT_MS).then(
      (socket) => {
        socket.on("error", () => socket.destroy());
        done(null, socket);
      },
      (error: Error) => done(error),
    );
  }
}
