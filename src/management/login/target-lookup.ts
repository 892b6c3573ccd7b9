/**
 * Lookup of machines by a registered device without a sign-in: the address of a machine that the network
 * rules let it reach. It grants nothing, since the machine applies the same rules again.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { denialOfNetwork } from "../../policy/decide/network-rules.ts";
import type { PolicySnapshot } from "../../policy/decide/snapshot.ts";
import {
  NAMES_MAX,
  type NamesRequest,
  type NamesResponse,
  type TargetRequest,
  type TargetResponse,
} from "../../wire/client-api.ts";
import { SSH_PORT } from "../../wire/ports.ts";
import type { PeerId } from "../../wire/units.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import { findPeer, listMachines, type PeerRow } from "../db/tables/peers.ts";
import { findUser, type UserRow } from "../db/tables/users.ts";
import { denial } from "./denial.ts";
import { currentAccount, type LoginDeps } from "./deps.ts";
import { checkSigned, type SignedRequest } from "./signatures.ts";
import { findTarget, inactiveReason, targetInfo } from "./target.ts";

/** Answers POST /client/v1/targets. Throws ERR_LOGIN_REQUIRED, ERR_UNAUTHENTICATED or ERR_ACCESS_DENIED. */
export async function lookUpTarget(
  deps: LoginDeps,
  request: TargetRequest,
  sourceAddress: string,
): Promise<TargetResponse> {
  const { ctx } = deps;
  const account = await currentAccount(ctx);
  const { challenge, devicePeerId, target: typed, timeSeconds } = request;
  const signed = {
    purpose: "target",
    fields: { challenge, devicePeerId, target: typed, timeSeconds },
    signature: request.deviceSignature,
  } as const;
  const asker = await proveDevice(deps, account, signed);
  const activity = "peer.lookup.refuse" as const;
  const refusal = { accountId: account.id, sourceAddress, what: typed, activity, user: () => asker.owner };
  return deps.refusals.noting(refusal, async () => {
    checkAsker(asker);
    const target = await ctx.store.read((tx) => findTarget(tx, account, typed));
    // Compiles a map for an unknown machine too, so that the answer takes as long.
    const snapshot = await ctx.maps.snapshotOf(account.id, target?.id ?? devicePeerId);
    if (target === undefined || snapshot === undefined || !mayReach(deps, snapshot, devicePeerId)) {
      throw denial((await inactiveReason(deps, target, devicePeerId)) ?? "network_not_allowed");
    }
    if (!target.sshEnabled) throw denial("ssh_disabled");
    return { target: targetInfo(target, account, deps.isConnected(target.id), deps.ctx.relayPort) };
  });
}

/** Answers POST /client/v1/names. Throws ERR_LOGIN_REQUIRED, ERR_UNAUTHENTICATED or ERR_ACCESS_DENIED. */
export async function listNames(
  deps: LoginDeps,
  request: NamesRequest,
  sourceAddress: string,
): Promise<NamesResponse> {
  const { ctx } = deps;
  const account = await currentAccount(ctx);
  const { challenge, devicePeerId, timeSeconds, addresses } = request;
  const asked = addresses === undefined ? {} : { addresses };
  const fields = { challenge, devicePeerId, timeSeconds, ...asked };
  const signed = { purpose: "names", fields, signature: request.deviceSignature } as const;
  const asker = await proveDevice(deps, account, signed);
  const activity = "peer.lookup.refuse" as const;
  const refusal = { accountId: account.id, sourceAddress, what: "names", activity, user: () => asker.owner };
  return deps.refusals.noting(refusal, async () => {
    checkAsker(asker);
    const opened = await ctx.maps.openedFor(account.id, devicePeerId);
    const confirmed = await ctx.store.read((tx) => listMachines(tx, account.id, { confirmed: true }));
    const names = confirmed.filter(({ id }) => opened.has(id)).map(({ dnsName }) => dnsName);
    const answer = { domain: account.domain, names: names.sort().slice(0, NAMES_MAX) };
    if (addresses === undefined) return answer;
    const all = await ctx.store.read((tx) => listMachines(tx, account.id, { confirmed: false }));
    const machines = all.filter(({ id }) => opened.has(id) && id !== devicePeerId).slice(0, NAMES_MAX);
    return { ...answer, machines: machines.map(({ dnsName: name, address }) => ({ name, address })) };
  });
}

interface DeviceAsker {
  readonly device: PeerRow;
  /** Null: the device has no owner. */
  readonly owner: UserRow | null;
}

/** The device that signed. Throws ERR_LOGIN_REQUIRED for an unregistered one. */
export async function proveDevice(
  deps: LoginDeps,
  account: AccountRow,
  {
    purpose,
    fields,
    signature,
  }: Pick<SignedRequest, "purpose"> & {
    readonly fields: SignedRequest["fields"] & { readonly devicePeerId: PeerId };
    readonly signature: string;
  },
): Promise<DeviceAsker> {
  const device = await deps.ctx.store.read((tx) => findPeer(tx, account.id, fields.devicePeerId));
  const signatures = device === undefined ? [] : [{ key: device.deviceKey, signature }];
  await checkSigned(deps, { purpose, accountId: account.id, fields, signatures });
  if (device === undefined) {
    throw new QfError("ERR_LOGIN_REQUIRED", "this device is not registered here", {
      hint: "sign in again with qf login",
    });
  }
  const { ownerUserId } = device;
  const owner =
    ownerUserId === null ? null : await deps.ctx.store.read((tx) => findUser(tx, account.id, ownerUserId));
  return { device, owner: owner ?? null };
}

/** Throws ERR_ACCESS_DENIED for a device or person that is blocked or waits for approval. */
export function checkAsker({ device, owner }: DeviceAsker): void {
  if (device.status !== "active") {
    throw denial(device.status === "blocked" ? "device_blocked" : "device_pending");
  }
  if (owner?.isBlocked === true) throw denial("user_blocked");
  if (owner?.pendingApproval === true) throw denial("user_pending");
}

/** By the network rules alone: a device that may reach the machine is told whether it accepts SSH. */
export function mayReach({ ctx }: LoginDeps, snapshot: PolicySnapshot, sourcePeerId: PeerId): boolean {
  const { map } = snapshot;
  const open = { ...snapshot, map: { ...map, self: { ...map.self, sshEnabled: true } } };
  return denialOfNetwork({ sourcePeerId, port: SSH_PORT, nowSeconds: nowSeconds(ctx.clock) }, open) === null;
}
