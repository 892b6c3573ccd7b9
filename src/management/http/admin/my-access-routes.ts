/**
 * /api/my/access: what the caller may reach, decided in the same way as for a certificate.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { sentenceOf } from "../../../policy/sentences.ts";
import { MY_MACHINES_MAX, MyAccess, MyAccessQuery, type MyMachine } from "../../../wire/my-access.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { findToken } from "../../db/tables/api-tokens.ts";
import { findLogin, type LoginRow } from "../../db/tables/logins.ts";
import { listPeers, listPeersOfUser, type PeerRow, shownPeerName } from "../../db/tables/peers.ts";
import { judgePerson } from "../../login/early-decision.ts";
import { notFound } from "./access.ts";
import { domainOf } from "./peers-view.ts";
import { type Call, type Route, route } from "./route.ts";

export const myAccessRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/my/access",
    summary: "Machines that the caller may reach from a device, as whom, and why not",
    access: "self",
    query: MyAccessQuery,
    answer: { one: MyAccess },
    also: [404],
    handle: (call) => myAccess(call),
  }),
];

type MyCall = Call<undefined, MyAccessQuery>;

async function myAccess(call: MyCall): Promise<MyAccess> {
  const { ctx, accountId } = call;
  const { device, login } = await call.read((tx) => whereFrom(tx, call));
  if (device === undefined) return { device: null, total: 0, machines: [] };
  const opened = await ctx.maps.openedFor(accountId, device.id);
  const [all, domain] = await call.read(async (tx) => [
    await listPeers(tx, accountId),
    await domainOf(tx, accountId),
  ]);
  const machines = all
    .filter((peer) => peer.kind === "machine" && opened.has(peer.id))
    .sort((a, b) => (a.dnsName < b.dnsName ? -1 : 1));
  const shown = machines.slice(0, MY_MACHINES_MAX);
  return {
    device: { id: device.id, name: shownPeerName(device) },
    total: machines.length,
    machines: await Promise.all(shown.map((target) => describe(call, { device, login, target, domain }))),
  };
}

/** The caller's device and login. Another person's device is not found. */
async function whereFrom(
  tx: Reader,
  { accountId, user, principal, query }: MyCall,
): Promise<{ device: PeerRow | undefined; login: LoginRow | undefined }> {
  const { kind, id } = principal.credential;
  const token = kind === "token" ? await findToken(tx, accountId, user.id, id) : undefined;
  const login = token?.loginId ? await findLogin(tx, token.loginId) : undefined;
  const own = (await listPeersOfUser(tx, accountId, user.id)).filter(
    ({ kind, status }) => kind === "device" && status === "active",
  );
  const wanted = query.device ?? login?.devicePeerId ?? undefined;
  if (wanted !== undefined) {
    const device = own.find(({ id }) => id === wanted);
    if (device === undefined && query.device !== undefined) throw notFound("device");
    return { device, login };
  }
  return { device: own.sort((a, b) => b.lastSeenAt - a.lastSeenAt)[0], login };
}

async function describe(
  { ctx, accountId, user }: MyCall,
  about: {
    readonly device: PeerRow;
    readonly login: LoginRow | undefined;
    readonly target: PeerRow;
    readonly domain: string;
  },
): Promise<MyMachine> {
  const { device, login, target, domain } = about;
  const shown = {
    id: target.id,
    name: shownPeerName(target),
    dns_label: `${target.dnsName}.${domain}`,
    ip: target.address,
    connected: ctx.isConnected(target.id),
  };
  const snapshot = await ctx.maps.snapshotOf(accountId, target.id);
  const now = nowSeconds(ctx.clock);
  const proof = login ?? { authTime: now, binding: "idp" as const };
  const verdict =
    snapshot === undefined
      ? ({ kind: "deny", reason: "peer_not_authorized" } as const)
      : judgePerson({ user, login: proof, device, target, snapshot, localUser: "", nowSeconds: now });
  if (verdict.kind === "allow") {
    return { ...shown, local_users: [...verdict.principals], reason: null, sentence: null, hint: null };
  }
  const { sentence, hint } = sentenceOf(verdict.reason);
  return { ...shown, local_users: [], reason: verdict.reason, sentence, hint };
}
