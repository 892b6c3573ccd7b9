/**
 * Approvals of sign-ins by SSH clients without a certificate. A machine opens one, a browser approves it on
 * the pages of the hosted sign-in, and the machine claims it with the code that the person typed.
 *
 * Management only says who the person is; the machine decides. An approval is for one machine, one SSH
 * session and one local user, and is good once, for five minutes and five tries. The provider's token never
 * leaves management, since a machine must not be able to act as the person elsewhere.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { nowSeconds } from "../../base/clock.ts";
import { sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { newId, newSecret, sha256 } from "../../base/random.ts";
import type { AgentMessage, ApprovalAnswer, ApprovedIdentity } from "../../wire/agent-sync.ts";
import { HostedLoginData } from "../../wire/hosted-login.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import { findAccount } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import {
  countHostedLogins,
  deleteHostedLogin,
  findHostedLogin,
  findLogin,
  type HostedLoginRow,
  insertHostedLogin,
  updateHostedLogin,
} from "../db/tables/logins.ts";
import { findPeer, type PeerRow } from "../db/tables/peers.ts";
import { findUser, issuerUrl } from "../db/tables/users.ts";
import type { LoginDeps } from "./deps.ts";
import { HOSTED_LIFETIME_SECONDS, HOSTED_TRIES_MAX, metaOf } from "./hosted.ts";
import { isCode } from "./hosted-claim.ts";

type OpenRequest = Extract<AgentMessage, { type: "approval_open" }>;
type ClaimRequest = Extract<AgentMessage, { type: "approval_claim" }>;

/** The machine that asks, proven by its control link. */
export interface AskingMachine {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
}

export interface OpenedApproval {
  readonly approvalId: string;
  readonly url: string;
  readonly expiresAtSeconds: number;
}

export interface Approvals {
  /** Throws ERR_TOO_MANY above the caps, ERR_NOT_FOUND for a deleted machine. */
  open(machine: AskingMachine, request: OpenRequest): Promise<OpenedApproval>;
  claim(machine: AskingMachine, request: ClaimRequest): Promise<ApprovalAnswer>;
  /** Drops an approval that will not be claimed any more. */
  close(machine: AskingMachine, approvalId: string): Promise<void>;
}

/**
 * Open approvals of one machine, which itself limits them by source. There is no common limit, which one
 * machine or anyone who signs in could use up for the others.
 */
const PER_MACHINE_MAX = 256;

export function createApprovals(deps: LoginDeps): Approvals {
  return {
    open: (machine, request) => openApproval(deps, machine, request),
    claim: (machine, request) => claimApproval(deps, machine, request),
    async close(machine, approvalId) {
      await deps.ctx.store.transaction(async (tx) => {
        const row = await findOf(tx, machine, approvalId);
        if (row?.state === "waiting" || row?.state === "approved") await deleteHostedLogin(tx, approvalId);
      });
    },
  };
}

async function openApproval(
  { ctx }: LoginDeps,
  machine: AskingMachine,
  request: OpenRequest,
): Promise<OpenedApproval> {
  const id = newId();
  const now = nowSeconds(ctx.clock);
  const expiresAtSeconds = now + HOSTED_LIFETIME_SECONDS;
  await ctx.store.transaction(async (tx) => {
    const peer = await findPeer(tx, machine.accountId, machine.peerId);
    const account = await findAccount(tx, machine.accountId);
    if (peer?.status !== "active" || account === undefined) {
      throw new QfError("ERR_NOT_FOUND", "no such machine");
    }
    if ((await countHostedLogins(tx, machineKey(peer.id))) >= PER_MACHINE_MAX) {
      throw new QfError("ERR_TOO_MANY", "too many sign-ins are waiting");
    }
    await insertHostedLogin(tx, {
      id,
      accountId: account.id,
      // No terminal polls for an approval; the machine claims it over its control link.
      pollSecretHash: sha256(newSecret("")),
      codeHash: null,
      state: "waiting",
      triesLeft: HOSTED_TRIES_MAX,
      sourceAddress: machineKey(peer.id),
      loginKey: loginKeyOf(id),
      data: dataOf({ peer, domain: account.domain, request }),
      createdAt: now,
      expiresAt: expiresAtSeconds,
    });
  });
  return { approvalId: id, url: `${ctx.origin}/login/hosted/${id}`, expiresAtSeconds };
}

function dataOf(asked: {
  readonly peer: PeerRow;
  readonly domain: string;
  readonly request: OpenRequest;
}): HostedLoginData {
  const { peer, domain, request } = asked;
  const { connectionId, sessionIdHash, localUser, sourceAddress } = request;
  return {
    deviceName: peer.dnsName,
    target: `${peer.dnsName}.${domain}`,
    localUser,
    sourceAddress,
    // A client without a certificate has no login to reuse.
    fresh: true,
    // The client has a terminal, and only a typed code ties the browser to it.
    confirmation: "code",
    approval: {
      machinePeerId: peer.id,
      connectionId,
      sessionIdHash,
      hostKeys: peer.hostKeys.slice(0, 8).map(fingerprintOf),
    },
  };
}

async function claimApproval(
  deps: LoginDeps,
  machine: AskingMachine,
  request: ClaimRequest,
): Promise<ApprovalAnswer> {
  const { store, maps } = deps.ctx;
  const options = { accountId: machine.accountId, initiator: systemInitiator };
  const claimed = await store.change(options, (tx) => claimIn(tx, deps, { machine, request }));
  if (claimed.status !== "approved") return claimed;
  // The sign-in itself may have changed what machines know of the person.
  const map = await maps.mapOf(machine.accountId, machine.peerId);
  return { status: "approved", identity: { ...claimed.identity, mapVersion: map?.version ?? 0 } };
}

async function claimIn(
  tx: ChangeWriter,
  deps: LoginDeps,
  asked: { readonly machine: AskingMachine; readonly request: ClaimRequest },
): Promise<ApprovalAnswer> {
  const { machine, request } = asked;
  const row = await findOf(tx, machine, request.approvalId);
  const peer = await findPeer(tx, machine.accountId, machine.peerId);
  if (row === undefined || peer?.status !== "active") return { status: "over" };
  const { proof, ...data } = HostedLoginData.parse(row.data);
  const isSame =
    data.approval?.sessionIdHash === request.sessionIdHash && data.localUser === request.localUser;
  if (!isSame) return { status: "over" };
  if (row.state === "waiting") return { status: "waiting" };
  if (row.state === "denied") {
    const { failure } = data;
    // The page tells the person why they were refused. The SSH client is not told, since anyone may be using
    // it.
    const isTold = failure !== undefined && failure.code !== "ERR_ACCESS_DENIED";
    return { status: "denied", ...(isTold ? { message: failure.message } : {}) };
  }
  if (row.state !== "approved" || proof?.kind !== "claimed") return { status: "over" };
  if (!isCode(row, request.code)) return wrongCode(tx, row, data);
  const identity = await identityOf(tx, deps, { row, loginId: proof.loginId });
  const change = { state: "claimed" as const, codeHash: null, data };
  if (identity === undefined || !(await updateHostedLogin(tx, row.id, "approved", change))) {
    return { status: "over" };
  }
  return { status: "approved", identity };
}

async function wrongCode(
  tx: ChangeWriter,
  row: HostedLoginRow,
  data: HostedLoginData,
): Promise<ApprovalAnswer> {
  const triesLeft = row.triesLeft - 1;
  if (triesLeft > 0) {
    await updateHostedLogin(tx, row.id, "approved", { triesLeft });
    return { status: "wrong_code", triesLeft };
  }
  await updateHostedLogin(tx, row.id, "approved", {
    triesLeft: 0,
    state: "denied",
    codeHash: null,
    data,
  });
  const meta = { ...metaOf(row, data), reason: "wrong codes" };
  tx.record({ activity: "login.hosted.deny", targetId: row.id, meta });
  return { status: "wrong_code", triesLeft: 0 };
}

async function identityOf(
  tx: Reader,
  { ctx }: LoginDeps,
  approved: { readonly row: HostedLoginRow; readonly loginId: string },
): Promise<ApprovedIdentity | undefined> {
  const { row, loginId } = approved;
  const login = await findLogin(tx, loginId);
  if (login === undefined || login.accountId !== row.accountId || login.loginKey !== row.loginKey) return;
  const user = await findUser(tx, row.accountId, login.userId);
  if (user === undefined) return;
  const refusal = user.isBlocked
    ? "user_blocked"
    : user.pendingApproval
      ? "user_pending"
      : login.revokedAt === null
        ? null
        : "login_revoked";
  return {
    userId: user.id,
    issuer: issuerUrl(user.issuer, { origin: ctx.origin, embeddedIssuer: ctx.oidc.issuer }),
    subject: user.subject,
    authTimeSeconds: login.authTime,
    loginId: sha256(sshBlobOfEd25519(login.loginKey)),
    mapVersion: 0,
    refusal,
  };
}

/** An open approval of this machine. */
async function findOf(
  tx: Reader,
  { accountId, peerId }: AskingMachine,
  approvalId: string,
): Promise<HostedLoginRow | undefined> {
  const row = await findHostedLogin(tx, approvalId);
  if (row === undefined || row.accountId !== accountId) return undefined;
  return HostedLoginData.parse(row.data).approval?.machinePeerId === peerId ? row : undefined;
}

/** The key under which its approvals are counted, beside the source addresses of other hosted sign-ins. */
function machineKey(peerId: PeerId): string {
  return `machine ${peerId}`;
}

/**
 * Stands in for the login key, so that the provider's token names this approval. It is a digest without a
 * private key, so nothing can ever be signed or issued with that login.
 */
function loginKeyOf(approvalId: string): string {
  return sha256(`qufabric/approval/${approvalId}`);
}

/** In the form that ssh(1) shows. */
function fingerprintOf(hostKey: string): string {
  const digest = createHash("sha256").update(Buffer.from(hostKey, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}
