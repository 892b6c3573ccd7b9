/**
 * Remembers how peers were last reached, so that the next dial starts with what worked. It is a cache that
 * only affects the order of attempts; an unreadable entry counts as absent.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { parseJson, writeJsonAtomic } from "../base/files.ts";
import { KnownPathsFile } from "../wire/state-file.ts";
import type { EpochSeconds, PeerId } from "../wire/units.ts";

/** Name of the file in the client's folder. */
export const PATHS_FILE = "paths.json";
/** Most peers remembered; the least recently reached is forgotten. */
const PEERS_MAX = 512;
/** An unchanged entry is not rewritten before this age. */
const REFRESH_SECONDS = 86_400;

export type KnownPath = KnownPathsFile["peers"][string];

export interface PathMemory {
  recall(peerId: PeerId): Promise<KnownPath | undefined>;
  /** Never throws: the memory is only a cache. */
  remember(
    peerId: PeerId,
    found: Pick<KnownPath, "path" | "address">,
    nowSeconds: EpochSeconds,
  ): Promise<void>;
}

/** Opens the memory in the file at `path`, in a private folder. */
export function openPathMemory(path: string): PathMemory {
  async function read(): Promise<KnownPathsFile["peers"]> {
    const text = await readFile(path, "utf8").catch(() => "");
    const parsed = KnownPathsFile.safeParse(parseJson(text));
    return parsed.success ? parsed.data.peers : {};
  }
  return {
    recall: async (peerId) => (await read())[peerId],
    async remember(peerId, { path: how, address }, nowSeconds) {
      const peers = await read();
      const entry = peers[peerId];
      const latest = address ?? entry?.address;
      const isSame = entry?.path === how && entry.address === latest;
      if (isSame && nowSeconds - entry.atSeconds < REFRESH_SECONDS) return;
      peers[peerId] = {
        path: how,
        ...(latest === undefined ? {} : { address: latest }),
        atSeconds: nowSeconds,
      };
      const newest = Object.entries(peers).sort(([, a], [, b]) => b.atSeconds - a.atSeconds);
      const file: KnownPathsFile = { format: 1, peers: Object.fromEntries(newest.slice(0, PEERS_MAX)) };
      await writeJsonAtomic(path, file, 0o600).catch(() => {});
    },
  };
}
