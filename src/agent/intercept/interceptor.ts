/**
 * `--intercept`: carries connections from the programs of named users to peers through the fabric.
 *
 * The kernel redirects the connections here (`agent/os/redirect-table.ts`). The interceptor asks it again for
 * the owner and original destination of each. The peer is told that the stream comes from another program
 * (`via`), so the stream does not prove this machine, and the user signs in on a page. Read `#serve`.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import { nowSeconds } from "../../base/clock.ts";
import { ownerOfConnection } from "../../base/connection-owner.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type Asker, findTargetAs, requireReachable } from "../../client/target.ts";
import { dialPeer } from "../../fabric/race.ts";
import { joinChecked } from "../../sshcore/checked-join.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../../wire/ports.ts";
import { Counter } from "../contracts/limits.ts";
import { originalDestination } from "../os/native.ts";
import { openRedirectTable, type RedirectTable } from "../os/redirect-table.ts";

const LOOPBACK = "127.0.0.1";
const DIAL_TIMEOUT_MS = 10_000;
/** Concurrent connections, of one user and of all. */
const BOUNDS = { perKeyMax: 256, totalMax: 2_048 };

/** The users whose connections are intercepted, and the destinations. */
export interface Intercepted {
  /** Names by uid. */
  readonly users: ReadonlyMap<number, string>;
  readonly addresses: readonly string[];
}

export interface Interceptor {
  /**
   * Replaces both. Open connections continue, unless their user is no longer named. Throws ERR_UNAVAILABLE.
   */
  set(intercepted: Intercepted): void;
  close(): void;
}

/** Listens, and installs empty rules. Throws ERR_UNAVAILABLE where the kernel accepts none. */
export async function openInterceptor(options: {
  readonly asker: Asker;
  readonly log: Log;
}): Promise<Interceptor> {
  const interceptor = new RunningInterceptor(options.asker, options.log);
  await interceptor.open();
  return interceptor;
}

class RunningInterceptor implements Interceptor {
  readonly #asker: Asker;
  readonly #log: Log;
  readonly #programs = new Map<Socket, number>();
  readonly #places = new Counter(() => BOUNDS);
  readonly #server: Server;
  #table: RedirectTable | null = null;
  #now: Intercepted = { users: new Map(), addresses: [] };

  constructor(asker: Asker, log: Log) {
    this.#asker = asker;
    this.#log = log;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (program) => {
      program.on("error", () => {});
      void this.#take(program).finally(() => program.destroy());
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: LOOPBACK, port: 0 }, () => resolve());
    });
    const address = this.#server.address();
    try {
      this.#table = openRedirectTable(this.#asker.devicePeerId, portOf(address));
    } catch (error) {
      this.#server.close();
      throw error;
    }
  }

  set(intercepted: Intercepted): void {
    this.#table?.set({ uids: [...intercepted.users.keys()], addresses: intercepted.addresses });
    this.#now = intercepted;
    for (const [program, uid] of this.#programs) if (!intercepted.users.has(uid)) program.destroy();
  }

  close(): void {
    this.#server.close();
    for (const program of this.#programs.keys()) program.destroy();
    this.#table?.close();
    this.#table = null;
  }

  async #take(program: Socket): Promise<void> {
    const wish = wishOf(program);
    const localUser = wish === null ? undefined : this.#now.users.get(wish.uid);
    // Drop what was not redirected or is not from a named user: a second check after the kernel's rules.
    if (wish === null || localUser === undefined || !this.#now.addresses.includes(wish.address)) return;
    const release = this.#places.take(localUser);
    if (release === null) return;
    this.#programs.set(program, wish.uid);
    try {
      await this.#serve(program, { ...wish, localUser });
    } catch (error) {
      const reason = isQfError(error) ? error.message : "it failed";
      this.#log.info("a connection was not carried", { localUser, to: wish.address, reason });
    } finally {
      this.#programs.delete(program);
      release();
    }
  }

  async #serve(program: Socket, { address, port, localUser }: Wish & { readonly localUser: string }) {
    const { deviceKey, scope, devicePeerId, clock } = this.#asker;
    const target = await findTargetAs(this.#asker, address);
    if (target.via !== true) throw new QfError("ERR_UNAVAILABLE", `the agent of ${target.name} is too old`);
    requireReachable(target);
    const peer = await dialPeer({
      ...{ deviceKey, scope, source: devicePeerId, target: target.peerId, port },
      via: { by: "intercept", localUser },
      addresses: target.direct,
      relayPort: target.relayPort,
      nowSeconds: () => nowSeconds(clock),
      timeoutMs: DIAL_TIMEOUT_MS,
    });
    this.#log.info("a connection is carried", { localUser, to: target.name, path: peer.path });
    await joinChecked({ program, peer: peer.stream, hostKeys: target.hostKeys });
  }
}

function portOf(address: ReturnType<Server["address"]>): number {
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

interface Wish {
  readonly uid: number;
  readonly address: string;
  readonly port: typeof SSH_PORT | typeof SSH_ENDPOINT_PORT;
}

/** The original destination and owner of a connection. Null: it is not for us, or the kernel does not say. */
function wishOf(program: Socket): Wish | null {
  const { remoteAddress, remotePort } = program;
  // Bun keeps a socket's descriptor on its handle.
  const fd = (program as unknown as { _handle?: { fd?: unknown } })._handle?.fd;
  if (typeof fd !== "number" || remoteAddress === undefined || remotePort === undefined) return null;
  const meant = originalDestination(fd);
  if (meant === null || (meant.port !== SSH_PORT && meant.port !== SSH_ENDPOINT_PORT)) return null;
  const ends = { localAddress: remoteAddress, localPort: remotePort };
  const uid = ownerOfConnection({ ...ends, remoteAddress: meant.address, remotePort: meant.port });
  return uid === null ? null : { uid, address: meant.address, port: meant.port };
}
