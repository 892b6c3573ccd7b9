/**
 * Enrolment of machines: by setup key, by an administrator's sign-in, or again by the machine's own key.
 *
 * A machine takes part in policies, so not everyone may add one. A sign-in enrols only for owners and admins;
 * anyone else needs a setup key from them.
 *
 * @module
 */

import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { sha256 } from "../../base/random.ts";
import type { EnrolRequest, EnrolResponse } from "../../wire/enrolment.ts";
import type { ChangeWriter } from "../db/store.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { enrolWithSetupKey, insertPeer } from "../db/tables/new-peer.ts";
import { findPeerByDeviceKey, type PeerRow, updatePeer } from "../db/tables/peers.ts";
import { denial } from "./denial.ts";
import { currentAccount, type LoginDeps } from "./deps.ts";
import { initiatorOf } from "./person.ts";
import { enterLogin, personOf, readProof } from "./prove.ts";
import { checkSigned, proofHashOf } from "./signatures.ts";

/** Answers POST /client/v1/machines. */
export async function enrolMachine(
  deps: LoginDeps,
  request: EnrolRequest,
  sourceAddress: string,
): Promise<EnrolResponse> {
  const { ctx } = deps;
  const account = await currentAccount(ctx);
  const { credential } = request;
  await checkSigned(deps, {
    purpose: "enrol",
    accountId: account.id,
    fields: {
      challenge: request.challenge,
      deviceKey: request.deviceKey,
      hostKeys: request.hostKeys.join(" "),
      name: request.name,
      credentialHash: credentialHash(request),
      timeSeconds: request.timeSeconds,
    },
    signatures: [
      { key: request.deviceKey, signature: request.deviceSignature },
      ...(credential.kind === "login"
        ? [{ key: credential.loginKey, signature: credential.loginSignature }]
        : []),
    ],
  });
  const refusal = { accountId: account.id, sourceAddress, what: "machine", user: () => null };
  const peer = await deps.refusals.noting(refusal, () => enrolBy(deps, { account, request, sourceAddress }));
  const log = await ctx.logs.identity(account.id);
  return {
    ...(log === undefined ? {} : { log }),
    peerId: peer.id,
    accountId: account.id,
    origin: ctx.origin,
    name: peer.name,
    domain: account.domain,
    address: peer.address,
  };
}

interface Enrolment {
  readonly account: AccountRow;
  readonly request: EnrolRequest;
  readonly sourceAddress: string;
}

function enrolBy(deps: LoginDeps, enrolment: Enrolment): Promise<PeerRow> {
  switch (enrolment.request.credential.kind) {
    case "setup_key":
      return enrolByKey(deps, enrolment, enrolment.request.credential.setupKey);
    case "login":
      return enrolByLogin(deps, enrolment, enrolment.request.credential);
    case "device_key":
      return findAgain(deps, enrolment);
  }
}

async function enrolByKey(deps: LoginDeps, enrolment: Enrolment, setupKey: string): Promise<PeerRow> {
  const { account } = enrolment;
  return deps.ctx.store.change({ accountId: account.id, initiator: systemInitiator }, async (tx) => {
    const known = await ownMachine(tx, enrolment);
    // An earlier attempt enrolled it and its answer was lost: the setup key is not used up a second time.
    if (known !== undefined) return refreshMachine(tx, enrolment, known);
    // Only a setup key waits for approval: an administrator who enrols by sign-in approves by doing so.
    const status = account.settings.extra?.peer_approval_enabled === true ? "pending" : "active";
    const { peer, key } = await enrolWithSetupKey(tx, setupKey, { ...machineOf(enrolment), status });
    if (key.accountId !== account.id) {
      throw new QfError("ERR_UNAUTHENTICATED", "the setup key is not valid");
    }
    tx.affectMaps();
    tx.record({
      activity: "peer.setupkey.add",
      targetId: peer.id,
      meta: { ...metaOf(enrolment, peer), setup_key: key.name, status },
      initiator: { id: key.id, name: key.name, email: "" },
    });
    return peer;
  });
}

async function enrolByLogin(
  deps: LoginDeps,
  enrolment: Enrolment,
  credential: Extract<EnrolRequest["credential"], { kind: "login" }>,
): Promise<PeerRow> {
  const { account } = enrolment;
  const { loginKey } = credential;
  const proof = await readProof(deps, account, { proof: credential.proof, loginKey, when: "first" });
  const person = await personOf(deps, account, proof);
  return deps.ctx.store.change({ accountId: account.id, initiator: systemInitiator }, async (tx) => {
    const { user } = await enterLogin(tx, deps, { account, proof, user: person, loginKey });
    if (user.role !== "owner" && user.role !== "admin") {
      throw new QfError("ERR_FORBIDDEN", "only an owner or admin may enrol a machine by signing in", {
        hint: "ask one for a setup key and give it with --setup-key",
      });
    }
    const known = await ownMachine(tx, enrolment);
    if (known !== undefined) return refreshMachine(tx, enrolment, known);
    const peer = await insertPeer(tx, {
      ...machineOf(enrolment),
      accountId: account.id,
      kind: "machine",
      owner: null,
      ownerApproved: true,
      status: "active",
      vouchedByPeerId: null,
      ephemeral: false,
      nameConfirmed: true,
      groups: [],
    });
    tx.affectMaps();
    const meta = metaOf(enrolment, peer);
    tx.record({ activity: "peer.user.add", targetId: peer.id, meta, initiator: initiatorOf(user) });
    return peer;
  });
}

async function findAgain(deps: LoginDeps, enrolment: Enrolment): Promise<PeerRow> {
  const { account } = enrolment;
  return deps.ctx.store.change({ accountId: account.id, initiator: systemInitiator }, async (tx) => {
    const known = await ownMachine(tx, enrolment);
    if (known === undefined) {
      throw new QfError("ERR_NOT_ENROLLED", "this machine is not enrolled here", {
        hint: "give a setup key with --setup-key, or sign in as an admin",
      });
    }
    return refreshMachine(tx, enrolment, known);
  });
}

/** The machine with this device key. Throws if another peer has the key. */
async function ownMachine(tx: ChangeWriter, { account, request }: Enrolment): Promise<PeerRow | undefined> {
  const known = await findPeerByDeviceKey(tx, request.deviceKey);
  if (known === undefined) return undefined;
  if (known.accountId !== account.id || known.kind !== "machine") {
    throw new QfError("ERR_FORBIDDEN", "this device key belongs to another peer", {
      hint: "give the agent a state folder of its own with --state-dir",
    });
  }
  if (known.status === "blocked") throw denial("device_blocked");
  return known;
}

/** Keeps the machine's name. Only an administrator renames machines, so that none can take another's name. */
async function refreshMachine(
  tx: ChangeWriter,
  { account, request, sourceAddress }: Enrolment,
  known: PeerRow,
): Promise<PeerRow> {
  const now = nowSeconds(tx.clock);
  const change = {
    hostKeys: [...request.hostKeys],
    facts: request.facts,
    connectionIp: sourceAddress,
    lastSeenAt: now,
    lastLoginAt: now,
  };
  await updatePeer(tx, account.id, known.id, change);
  if (known.hostKeys.join(" ") !== request.hostKeys.join(" ")) {
    tx.affectMaps();
    tx.record({
      activity: "peer.update",
      targetId: known.id,
      meta: {
        host_keys: request.hostKeys.map((key) => `SHA256:${sha256(Buffer.from(key, "base64"))}`).join(" "),
      },
      initiator: { id: known.id, name: known.name, email: "" },
    });
  }
  return { ...known, ...change };
}

function machineOf({ request, sourceAddress }: Enrolment) {
  return {
    name: request.name,
    deviceKey: request.deviceKey,
    hostKeys: request.hostKeys,
    facts: request.facts,
    connectionIp: sourceAddress,
  };
}

function metaOf({ sourceAddress }: Enrolment, peer: PeerRow): Record<string, string> {
  return { name: peer.name, address: peer.address, source: sourceAddress };
}

/** The credential's digest in the signed fields. */
function credentialHash({ credential }: EnrolRequest): string {
  switch (credential.kind) {
    case "setup_key":
      return sha256(credential.setupKey);
    case "login":
      return proofHashOf(credential.proof);
    case "device_key":
      return sha256("");
  }
}
