/**
 * The person's own SSH agent, for `-A`: streams from the peer lead to SSH_AUTH_SOCK and nowhere else. It
 * never holds QuFabric's keys and never signs us in.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { openUnixSocket } from "./unix-socket.ts";

/** Time limit for connecting to the agent. */
const DIAL_TIMEOUT_MS = 10_000;

/** The agent that ssh2 asks when the peer wants to reach it. */
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
