/**
 * The public origin: part of everything signed here, so it is chosen once and then kept.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { isLoopbackHost } from "../identity/strict-fetch.ts";
import type { Store } from "./db/store.ts";
import { findMeta, listAccounts, putMeta } from "./db/tables/accounts.ts";
import { countPeers } from "./db/tables/peers.ts";
import { listMoves, noteMove } from "./log/moves.ts";
import { type CheckedListen, listenOrigin } from "./serve-options.ts";

/** The origin of last time; undefined before the first serve. */
export function storedOrigin(store: Store): Promise<string | undefined> {
  return store.read((tx) => findMeta(tx, "origin"));
}

/**
 * The port to listen on. Port 0 means the one of last time where that was a loopback address of ours,
 * so that a server started by `--listen 127.0.0.1:0` is found again after a restart.
 */
export function chosenPort(listen: CheckedListen, stored: string | undefined): number {
  if (listen.port !== 0 || stored === undefined || listen.publicOrigin !== null) return listen.port;
  const url = new URL(stored);
  const isOurs = isLoopbackHost(url.hostname) && listenOrigin(listen, Number(url.port)) === stored;
  return isOurs ? Number(url.port) : 0;
}

/**
 * The origin to serve under, stored. Throws ERR_USAGE when the listening address is another than last
 * time and no `--public-url` says that this is meant, and for another `--public-url` once there are peers:
 * they are bound to the one that they know. `--move` says that it is meant: the move is noted, and announced.
 */
export async function settleOrigin(store: Store, listen: CheckedListen, port: number): Promise<string> {
  const stored = await storedOrigin(store);
  const own = listenOrigin(listen, port);
  const origin = listen.publicOrigin ?? stored ?? own;
  const movedAway =
    listen.publicOrigin === null &&
    stored !== undefined &&
    stored !== own &&
    isLoopbackHost(new URL(stored).hostname);
  if (movedAway) {
    throw new QfError("ERR_USAGE", `this server is known as ${stored}, not as ${own}`, {
      hint: `listen on ${new URL(stored).host} again, or give --public-url ${own} and enrol everything anew`,
    });
  }
  if (stored !== undefined && origin !== stored && !listen.moves) await requireNoPeers(store, stored);
  if (origin === stored) return origin;
  await store.transaction(async (tx) => {
    await putMeta(tx, "origin", origin);
    if (stored !== undefined && listen.moves) await noteMove(tx, { from: stored, to: origin });
  });
  return origin;
}

/** `host:port` as clients send it: where this server is, and where it was, while that is announced. */
export async function hostsOf(store: Store, origins: readonly string[]) {
  const hosts = new Set(origins.map((origin) => new URL(origin).host));
  const moves = await store.read(listMoves);
  const oldHosts = new Set(moves.map(({ from }) => new URL(from).host).filter((host) => !hosts.has(host)));
  return { hosts, oldHosts };
}

async function requireNoPeers(store: Store, stored: string): Promise<void> {
  const peers = await store.read(async (tx) => {
    const counts = (await listAccounts(tx)).map(({ id }) => countPeers(tx, id));
    return (await Promise.all(counts)).reduce((sum, one) => sum + one, 0);
  });
  if (peers === 0) return;
  const who = peers === 1 ? "one peer knows" : `${peers} peers know`;
  throw new QfError("ERR_USAGE", `${who} this server as ${stored}, and no other address would reach them`, {
    hint: `give --public-url ${stored}, or --move, which machines and devices follow`,
  });
}
