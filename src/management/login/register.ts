/**
 * Registration of a person's device, which is found again by its key.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { verifyEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import type { RegisterRequest, RegisterResponse } from "../../wire/client-api.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import { BROWSER_OS } from "../../wire/terminal-page.ts";
import { filled } from "../contracts/settings.ts";
import type { ChangeWriter } from "../db/store.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { findLoginByKey, updateLogin } from "../db/tables/logins.ts";
import { insertPeer, isApprovedAtOnce } from "../db/tables/new-peer.ts";
import {
  findPeer,
  findPeerByDeviceKey,
  listPeersOfUser,
  type PeerRow,
  updatePeer,
} from "../db/tables/peers.ts";
import { findUser, type UserRow } from "../db/tables/users.ts";
import { endVouch } from "../db/tables/vouches.ts";
import { denial } from "./denial.ts";
import { currentAccount, type LoginDeps } from "./deps.ts";
import { retireBrowsers } from "./own-browsers.ts";
import { initiatorOf } from "./person.ts";
import { enterLogin, type ProvenLogin, personOf, type ReadProof, readProof } from "./prove.ts";
import { checkSigned, checkTime, proofHashOf } from "./signatures.ts";
import { judgeVouch } from "./vouch-watch.ts";

/** Answers POST /client/v1/devices. */
export async function registerDevice(
  deps: LoginDeps,
  request: RegisterRequest,
  sourceAddress: string,
): Promise<RegisterResponse> {
  const { ctx } = deps;
  const account = await currentAccount(ctx);
  await checkSigned(deps, {
    purpose: "register",
    accountId: account.id,
    fields: {
      challenge: request.challenge,
      loginKey: request.loginKey,
      deviceKey: request.deviceKey,
      proofHash: proofHashOf(request.proof),
      timeSeconds: request.timeSeconds,
    },
    signatures: [
      { key: request.loginKey, signature: request.loginSignature },
      { key: request.deviceKey, signature: request.deviceSignature },
    ],
  });
  let user: UserRow | null = null;
  const refusal = { accountId: account.id, sourceAddress, what: "device", user: () => user };
  return deps.refusals.noting(refusal, async () => {
    const known = await ctx.store.read((tx) => findLoginByKey(tx, request.loginKey));
    // The expiry of a known login's token was checked when the login was new.
    const when = known !== undefined && known.binding === "idp" ? "again" : "first";
    const proof = await readProof(deps, account, { proof: request.proof, loginKey: request.loginKey, when });
    // A token that has made a login already says nothing new of its person; it may be hours old.
    const person =
      known === undefined
        ? await personOf(deps, account, proof)
        : ((await ctx.store.read((tx) => findUser(tx, account.id, known.userId))) ?? null);
    user = person;
    const vouchedByPeerId = await readVouch(deps, account, request);
    const answer = await ctx.store.change({ accountId: account.id, initiator: systemInitiator }, (tx) =>
      enter(tx, deps, { account, request, proof, person, vouchedByPeerId, sourceAddress }),
    );
    // Checked now, so that no later end of the person's access to the machine is missed.
    if (vouchedByPeerId !== null) await judgeVouch(ctx, account.id, answer.peerId);
    const log = await ctx.logs.identity(account.id);
    return log === undefined ? answer : { ...answer, log };
  });
}

/** Creates or finds login and device in one transaction, and ties them together for good. */
async function enter(
  tx: ChangeWriter,
  deps: LoginDeps,
  claim: Omit<DeviceClaim, "proven"> & { readonly proof: ReadProof; readonly person: UserRow | null },
): Promise<RegisterResponse> {
  const { account, request, proof, person } = claim;
  const { loginKey } = request;
  const proven = await enterLogin(tx, deps, { account, proof, user: person, loginKey });
  const peer = await findOrInsertDevice(tx, { ...claim, proven });
  if (proven.login.devicePeerId === null) {
    await updateLogin(tx, proven.login.id, { devicePeerId: peer.id });
  } else if (proven.login.devicePeerId !== peer.id) {
    throw new QfError("ERR_TOKEN_INVALID", "this login belongs to another device", { hint: "sign in again" });
  }
  return answer(account, proven, peer);
}

interface DeviceClaim {
  readonly account: AccountRow;
  readonly request: RegisterRequest;
  readonly proven: ProvenLogin;
  readonly vouchedByPeerId: string | null;
  readonly sourceAddress: string;
}

async function findOrInsertDevice(tx: ChangeWriter, claim: DeviceClaim): Promise<PeerRow> {
  const { account, request, proven, vouchedByPeerId, sourceAddress } = claim;
  const known = await findPeerByDeviceKey(tx, request.deviceKey);
  if (known === undefined) return insertDevice(tx, claim);
  const isTheirs =
    known.accountId === account.id && known.kind === "device" && known.ownerUserId === proven.user.id;
  if (!isTheirs) {
    throw new QfError("ERR_FORBIDDEN", "this device is registered for somebody else", {
      hint: "use another QF_CONFIG_DIR, or have an administrator delete the device",
    });
  }
  if (known.status === "blocked") throw denial("device_blocked");
  const now = nowSeconds(tx.clock);
  if (known.vouchedByPeerId !== vouchedByPeerId) await endVouch(tx, known, "not_renewed");
  const change = {
    facts: request.facts,
    vouchedByPeerId,
    vouch: vouchOf(tx, claim),
    connectionIp: sourceAddress,
    lastSeenAt: now,
    lastLoginAt: now,
  };
  await updatePeer(tx, account.id, known.id, change);
  // Posture checks look at a device's facts and address, and the machine that vouches may lend it groups.
  if (
    known.vouchedByPeerId !== vouchedByPeerId ||
    known.connectionIp !== sourceAddress ||
    JSON.stringify(known.facts) !== JSON.stringify(request.facts)
  ) {
    tx.affectMaps();
  }
  const peer = { ...known, ...change };
  if (known.vouchedByPeerId !== vouchedByPeerId || proven.login.devicePeerId === null) {
    recordVouch(tx, claim, peer);
  }
  return peer;
}

function vouchOf(tx: ChangeWriter, { request, proven }: DeviceClaim): PeerRow["vouch"] {
  if (request.vouch === undefined) return null;
  const { uid } = request.vouch;
  return { uid, at: nowSeconds(tx.clock), loginId: proven.login.id, byAccess: false };
}

/** Records who vouches for the device, at each login with a vouch. */
function recordVouch(tx: ChangeWriter, { request, proven }: DeviceClaim, peer: PeerRow): void {
  const { vouch } = request;
  if (vouch === undefined) return;
  const meta = { machine: vouch.machinePeerId, uid: String(vouch.uid), login: proven.login.id };
  tx.record({ activity: "peer.vouch", targetId: peer.id, meta, initiator: initiatorOf(proven.user) });
}

async function insertDevice(tx: ChangeWriter, claim: DeviceClaim): Promise<PeerRow> {
  const { account, request, proven, vouchedByPeerId, sourceAddress } = claim;
  const { user } = proven;
  const settings = filled(account.settings);
  const theirs = await listPeersOfUser(tx, account.id, user.id);
  if (request.facts.os === BROWSER_OS) await retireBrowsers(tx, theirs);
  const isApproved =
    isApprovedAtOnce(settings.device_approval, theirs) &&
    account.settings.extra?.peer_approval_enabled !== true;
  const peer = await insertPeer(tx, {
    accountId: account.id,
    kind: "device",
    name: request.facts.hostname,
    deviceKey: request.deviceKey,
    hostKeys: [],
    facts: request.facts,
    connectionIp: sourceAddress,
    owner: user,
    ownerApproved: isApproved,
    status: isApproved ? "active" : "pending",
    vouchedByPeerId,
    vouch: vouchOf(tx, claim),
    ephemeral: false,
    groups: [],
  });
  tx.affectMaps();
  tx.record({
    activity: "peer.user.add",
    targetId: peer.id,
    meta: { name: peer.name, address: peer.address, source: sourceAddress, status: peer.status },
    initiator: initiatorOf(user),
  });
  recordVouch(tx, claim, peer);
  return peer;
}

/** The machine whose agent vouches for the device. Throws for an invalid vouch instead of ignoring it. */
async function readVouch(
  deps: LoginDeps,
  account: AccountRow,
  request: RegisterRequest,
): Promise<string | null> {
  const { vouch } = request;
  if (vouch === undefined) return null;
  const { ctx } = deps;
  checkTime(nowSeconds(ctx.clock), vouch.timeSeconds);
  const machine = await ctx.store.read((tx) => findPeer(tx, account.id, vouch.machinePeerId));
  const bytes = signedBytes(
    "vouch",
    { accountId: account.id, origin: ctx.origin },
    {
      deviceKey: request.deviceKey,
      machinePeerId: vouch.machinePeerId,
      uid: vouch.uid,
      timeSeconds: vouch.timeSeconds,
    },
  );
  const isGood =
    machine !== undefined &&
    machine.kind === "machine" &&
    machine.status === "active" &&
    verifyEd25519(machine.deviceKey, bytes, vouch.signature);
  if (!isGood) throw new QfError("ERR_UNAUTHENTICATED", "the machine's word for this device is not good");
  return machine.id;
}

function answer(account: AccountRow, { login, user }: ProvenLogin, peer: PeerRow): RegisterResponse {
  return {
    peerId: peer.id,
    name: `${peer.dnsName}.${account.domain}`,
    address: peer.address,
    user: { id: user.id, name: user.name, email: user.email },
    loginId: login.id,
    binding: login.binding,
    loginUntilSeconds: login.until,
    deviceStatus: peer.status === "active" ? "active" : "pending",
  };
}
