/**
 * The public origin. Everything signed here contains it, so it is chosen once and then stays.
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

/** The origin of the last start; undefined before the first. */
export function storedOrigin(store: Store): Promise<string | undefined> {
  return store.read((tx) => findMeta(tx, "origin"));
}

/**
 * The port to listen on. Port 0 means the port of the last start if that was a loopback address of ours, so
 * that a server started with `--listen 127.0.0.1:0` keeps its address across restarts.
 */
export function chosenPort(listen: CheckedListen, stored: string | undefined): number {
  if (listen.port !== 0 || stored === undefined || listen.publicOrigin !== null) return listen.port;
  const url = new URL(stored);
  const isOurs = isLoopbackHost(url.hostname) && listenOrigin(listen, Number(url.port)) === stored;
  return isOurs ? Number(url.port) : 0;
}

/**
 * Decides and stores the origin to serve under.
 *
 * Throws ERR_USAGE when a loopback listening address differs from the last one and no `--public-url` confirms
 * it. Throws ERR_USAGE for a changed `--public-url` once there are peers, since they are bound to the old
 * one. With `--move` the change is accepted, stored as a move, and announced to them.
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

/** Host names as clients send them (`host:port`): current ones, and those of announced moves. */
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
