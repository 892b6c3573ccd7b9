/**
 * Ends vouches: with the login they were given at, with their machine, and with the person's access to that
 * machine.
 *
 * People at a machine's console need no access by policy, so a vouch may begin without. Once the person has
 * had access by policy, the vouch ends when they lose it.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { listAccounts } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { findLogin } from "../db/tables/logins.ts";
import { findPeer, type PeerRow } from "../db/tables/peers.ts";
import { findUser } from "../db/tables/users.ts";
import { endVouch, listVouched, markByAccess, type VouchEnd } from "../db/tables/vouches.ts";
import { type EarlyQuestion, judgePerson } from "./early-decision.ts";

/** Changes of an account within this time are handled together. */
const SETTLE_MS = 100;
/** How often vouches are checked without a change, since logins expire and rules have hours. */
const LOOK_MS = 60_000;

type Context = Pick<ManagementContext, "store" | "maps" | "clock" | "log">;

/** Checks after each change of an account, and every minute. Returns how to stop. */
export function watchVouches(context: Context): () => Promise<void> {
  const { store, log } = context;
  const due = new Set<AccountId>();
  let running: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const look = async (): Promise<void> => {
    for (const accountId of due) {
      due.delete(accountId);
      await judgeVouches(context, accountId);
    }
  };
  const arm = (): void => {
    if (timer !== null || running !== null || due.size === 0) return;
    timer = setTimeout(() => {
      timer = null;
      running = look()
        .catch((cause: unknown) => log.warn("vouches could not be looked at", {}, cause))
        .finally(() => {
          running = null;
          arm();
        });
    }, SETTLE_MS);
    timer.unref();
  };
  const stopListening = store.onChange((accountId, version) => {
    if (version === 0) return;
    due.add(accountId);
    arm();
  });
  const lookAtAll = async (): Promise<void> => {
    for (const { id } of await store.read(listAccounts)) due.add(id);
    arm();
  };
  const every = setInterval(() => {
    lookAtAll().catch((cause: unknown) => log.warn("vouches could not be looked at", {}, cause));
  }, LOOK_MS);
  every.unref();
  return async () => {
    clearInterval(every);
    stopListening();
    if (timer !== null) clearTimeout(timer);
    due.clear();
    await running;
  };
}

/** Ends the account's vouches that no longer hold. */
export async function judgeVouches(context: Context, accountId: AccountId): Promise<void> {
  for (const device of await context.store.read((tx) => listVouched(tx, accountId))) {
    await judge(context, device);
  }
}

/** Ends one device's vouch if it no longer holds, or marks it as held by access. */
export async function judgeVouch(context: Context, accountId: AccountId, deviceId: PeerId): Promise<void> {
  const device = await context.store.read((tx) => findPeer(tx, accountId, deviceId));
  if (device !== undefined && device.vouchedByPeerId !== null) await judge(context, device);
}

async function judge(context: Context, device: PeerRow): Promise<void> {
  const { store } = context;
  const found = await standingOf(context, device);
  if (found === "holds") return;
  if (found === "by_access") return await store.transaction((tx) => markByAccess(tx, device));
  await store.change({ accountId: device.accountId, initiator: systemInitiator }, async (tx) => {
    if (await endVouch(tx, device, found)) tx.affectMaps();
  });
}

/** by_access: the person has access to the machine, and this is not stored yet. */
async function standingOf(context: Context, device: PeerRow): Promise<VouchEnd | "holds" | "by_access"> {
  const { store, clock } = context;
  const { accountId, vouch, vouchedByPeerId, ownerUserId } = device;
  if (vouch === null || vouchedByPeerId === null || ownerUserId === null) return "login_over";
  const [login, target, user] = await store.read(async (tx) => [
    await findLogin(tx, vouch.loginId),
    await findPeer(tx, accountId, vouchedByPeerId),
    await findUser(tx, accountId, ownerUserId),
  ]);
  const now = nowSeconds(clock);
  if (user === undefined || login === undefined || login.revokedAt !== null || login.until <= now) {
    return "login_over";
  }
  if (target === undefined || target.kind !== "machine" || target.status !== "active") return "machine_gone";
  const question = { user, login, device, target, localUser: "", nowSeconds: now };
  if (await mayReach(context, question)) return vouch.byAccess ? "holds" : "by_access";
  return vouch.byAccess ? "access_over" : "holds";
}

/** Whether the person has access to the machine without the groups that it lends the device. */
async function mayReach({ maps }: Context, question: Omit<EarlyQuestion, "snapshot">): Promise<boolean> {
  const { device, target } = question;
  const snapshot = await maps.snapshotOf(target.accountId, target.id);
  const known = snapshot?.map.peers[device.id];
  if (snapshot === undefined || known === undefined) return false;
  const peers = { ...snapshot.map.peers, [device.id]: { ...known, vouchedGroups: [] } };
  const map = { ...snapshot.map, peers };
  return judgePerson({ ...question, snapshot: { ...snapshot, map } }).kind === "allow";
}
