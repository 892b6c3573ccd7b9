/**
 * Follows management to a new address when the log key that this device has pinned has signed the move.
 *
 * The device keeps its registration and key. Cached logins belong to the old address, so the person signs in
 * again. Without that signature no move is followed, whatever the server at the old address says.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { followHandovers } from "../log/key-handover.ts";
import { followMoves, type Move } from "../log/move.ts";
import type { ClientConfig } from "../wire/client-config.ts";
import type { ClientFolder, Environment } from "./client-folder.ts";
import { checkManagementUrl } from "./management-url.ts";
import { pinnedLog } from "./pinned-logs.ts";
import type { Terminal } from "./terminal.ts";

export interface FollowOptions {
  readonly folder: Pick<ClientFolder, "updateConfig" | "readConfig">;
  /** The URL that was asked. */
  readonly url: string;
  /** The server's answer. */
  readonly config: ClientConfig;
  readonly clock: Clock;
  readonly terminal: Pick<Terminal, "say">;
  readonly environment: Environment;
}

/**
 * Throws ERR_MOVED after following the move, or with what to set by hand. Returns when no pinned key has
 * signed the move.
 */
export async function followMove(options: FollowOptions): Promise<void> {
  const { folder, url, terminal, environment } = options;
  const move = await moveOf(options);
  if (move === null) return;
  const said = `management has moved from ${url} to ${move.to}, by the word of the audit log's key`;
  const stored = await folder.readConfig();
  const isOwn = !environment.QF_MANAGEMENT_URL && stored.managementUrl === url;
  await folder.updateConfig((before) => {
    const device = before.devices[url];
    return {
      ...before,
      ...(before.managementUrl === url ? { managementUrl: move.to } : {}),
      devices: { ...before.devices, ...(device === undefined ? {} : { [move.to]: device }) },
    };
  });
  terminal.say(`qf: warning: ${said}`);
  throw new QfError("ERR_MOVED", `management is at ${move.to} now`, {
    hint: isOwn ? "run the same command again" : `give ${move.to} as --management-url or QF_MANAGEMENT_URL`,
  });
}

async function moveOf({ folder, url, config, clock, environment }: FollowOptions): Promise<Move | null> {
  const { log, origin: to } = config;
  if (log?.moves === undefined || !log.origin.endsWith(`/${config.accountId}`)) return null;
  const device = (await folder.readConfig()).devices[url];
  if (device !== undefined && device.accountId !== config.accountId) return null;
  const [pinned] = (await pinnedLog(environment, log.origin)).keys;
  if (pinned === undefined) return null;
  const keys = followHandovers({ origin: log.origin, key: pinned.publicKey }, log.handovers ?? []);
  if (keys.at(-1) !== log.key) return null;
  const move = followMoves(log, { from: url, records: log.moves, nowSeconds: nowSeconds(clock) });
  return move?.to === to && checkManagementUrl(to) === to ? move : null;
}
