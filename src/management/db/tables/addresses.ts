/**
 * Allocation of overlay addresses.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { QfError } from "../../../base/errors.ts";
import { OVERLAY_RANGE, parseRange } from "../../../wire/overlay-range.ts";
import type { AccountId, OverlayAddress } from "../../../wire/units.ts";
import type { Reader } from "../engine/transaction.ts";
import { findAccount } from "./accounts.ts";
import { findPeerByAddress } from "./peers.ts";

const ATTEMPTS_MAX = 64;

/**
 * A random free address in the account's `network_range`. The range is sparse, so the first try nearly always
 * succeeds. Throws ERR_UNAVAILABLE when no try does.
 */
export async function freeAddress(tx: Reader, accountId: AccountId): Promise<OverlayAddress> {
  const account = await findAccount(tx, accountId);
  const { base, length } = parseRange(account?.settings.network_range ?? OVERLAY_RANGE);
  const hosts = 2 ** (32 - length) - 1;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const value = ((base & ~hosts) | (randomBytes(4).readUInt32BE() & hosts)) >>> 0;
    const [a = 0, b = 0, c = 0, d = 0] = [value >>> 24, value >>> 16, value >>> 8, value].map((n) => n & 255);
    // .0 and .255 confuse old software; 100.100.100.100 is Tailscale's resolver.
    if (d === 0 || d === 255 || (c === 100 && d === 100)) continue;
    const address = `${a}.${b}.${c}.${d}`;
    if ((await findPeerByAddress(tx, accountId, address)) === undefined) return address;
  }
  throw new QfError("ERR_UNAVAILABLE", "there is no free overlay address");
}
