/**
 * Issues a certificate for one person, from one device, to one machine.
 *
 * The decision here spares people a round trip and gives them the reason. The machine decides again from its
 * own map.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { nowSeconds } from "../../base/clock.ts";
import { newId } from "../../base/random.ts";
import { issueCertificate } from "../../certificate/issue.ts";
import { signManagementToken } from "../../identity/management-token.ts";
import { recordOf } from "../../policy/decide/decide.ts";
import {
  findPeer as findMapPeer,
  findUser as findMapUser,
  type PolicySnapshot,
} from "../../policy/decide/snapshot.ts";
import { sentenceOf } from "../../policy/sentences.ts";
import { CERTIFICATE_LIFETIME_SECONDS } from "../../wire/certificate.ts";
import type { CertificateRequest, CertificateResponse, LogSeen } from "../../wire/client-api.ts";
import { filled } from "../contracts/settings.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import type { NewEvent } from "../db/tables/audit-events.ts";
import type { PeerRow } from "../db/tables/peers.ts";
import { issuerUrl } from "../db/tables/users.ts";
import { currentAccount, type LoginDeps } from "./deps.ts";
import { type EarlyVerdict, judgeDevice, judgePerson } from "./early-decision.ts";
import { noteAddress } from "./note-address.ts";
import { initiatorOf } from "./person.ts";
import { type Asker, proveAsker } from "./prove-asker.ts";
import { findTarget, inactiveReason, targetInfo } from "./target.ts";

/** Answers POST /client/v1/certificates. A denial is an answer; a proof that fails is an error. */
export async function mintCertificate(
  deps: LoginDeps,
  request: CertificateRequest,
  sourceAddress: string,
): Promise<CertificateResponse> {
  const account = await currentAccount(deps.ctx);
  const asker = await proveAsker(deps, account, request, {
    purpose: "mint",
    fields: {
      target: request.target,
      localUser: request.localUser,
      ...(request.accessReason === undefined ? {} : { accessReason: request.accessReason }),
    },
    what: "certificate",
    sourceAddress,
  });
  await noteAddress(deps, asker.device, sourceAddress);
  const looked = await lookUpTarget(deps, account, { request, asker, sourceAddress });
  const { target, snapshot } = looked;
  if (target === undefined || snapshot === undefined || !isVisible(snapshot, asker)) {
    return respondRefusal(deps, looked);
  }
  const known: KnownTarget = { ...looked, target, snapshot };
  const isOwnKey = target.flags?.sshAuth === false;
  const question = {
    ...asker,
    target,
    snapshot,
    localUser: request.localUser,
    accessReason: request.accessReason,
    nowSeconds: nowSeconds(deps.ctx.clock),
  };
  const verdict = isOwnKey ? judgeDevice(question) : judgePerson(question);
  if (verdict.kind === "deny") return refuse(deps, known, verdict);
  return isOwnKey ? pointToDeviceKey(deps, known) : issue(deps, known, verdict.principals);
}

interface Question {
  readonly account: AccountRow;
  readonly request: CertificateRequest;
  readonly asker: Asker;
  readonly sourceAddress: string;
  readonly target: PeerRow | undefined;
  readonly snapshot: PolicySnapshot | undefined;
}

interface KnownTarget extends Question {
  readonly target: PeerRow;
  readonly snapshot: PolicySnapshot;
}

async function lookUpTarget(
  deps: LoginDeps,
  account: AccountRow,
  asked: Pick<Question, "request" | "asker" | "sourceAddress">,
): Promise<Question> {
  const { store, maps } = deps.ctx;
  const target = await store.read((tx) => findTarget(tx, account, asked.request.target));
  // Compiles a map for an unknown target too, so that the answer takes as long.
  const snapshot = await maps.snapshotOf(account.id, target?.id ?? asked.asker.device.id);
  return { ...asked, account, target, snapshot: target === undefined ? undefined : snapshot };
}

/** Whether any rule for this machine mentions the person or the device. */
function isVisible({ map }: PolicySnapshot, { user, device }: Asker): boolean {
  return findMapUser(map, user.id) !== undefined || findMapPeer(map, device.id) !== undefined;
}

/** Such a machine accepts no certificate, so none is issued; the answer only says how to reach it. */
async function pointToDeviceKey(
  deps: LoginDeps,
  { account, target, snapshot }: KnownTarget,
): Promise<CertificateResponse> {
  await deps.waitForMap(target.id, snapshot.map.version);
  return {
    outcome: "issued",
    certificate: "",
    target: targetInfo(target, account, deps.isConnected(target.id), deps.ctx.relayPort),
    principals: [],
    validUntilSeconds: nowSeconds(deps.ctx.clock),
  };
}

/**
 * Answers alike for an unknown machine and for one that no rule opens to this person: same words, work and
 * audit event. So names cannot be found out by asking.
 */
async function respondRefusal(deps: LoginDeps, question: Question): Promise<CertificateResponse> {
  const receipt = newId();
  const inactive = await inactiveReason(deps, question.target, question.asker.device.id);
  const reason = inactive ?? "peer_not_authorized";
  const meta = { reason, known: String(question.target !== undefined) };
  await record(deps, question, {
    activity: "certificate.refuse",
    targetId: question.target?.id ?? "",
    meta,
    receipt,
  });
  return {
    outcome: "denied",
    reason,
    sentence: sentenceOf(reason).sentence,
    hint:
      inactive === null
        ? "check the name, or ask for a policy that has one of your groups as source"
        : sentenceOf(inactive).hint,
    receipt,
  };
}

async function refuse(
  deps: LoginDeps,
  question: KnownTarget,
  verdict: Extract<EarlyVerdict, { kind: "deny" }>,
): Promise<CertificateResponse> {
  const { target, account } = question;
  const { reason } = verdict;
  const receipt = newId();
  await record(deps, question, {
    activity: "certificate.refuse",
    targetId: target.id,
    meta: { reason },
    receipt,
    data: { decision: recordOf(verdict.decision) },
  });
  const { sentence, hint } = sentenceOf(reason);
  return {
    outcome: "denied",
    reason,
    sentence,
    hint,
    receipt,
    // The trace names rules. Administrators can look it up by the receipt.
    target: targetInfo(target, account, deps.isConnected(target.id), deps.ctx.relayPort),
  };
}

async function issue(
  deps: LoginDeps,
  question: KnownTarget,
  principals: readonly string[],
): Promise<CertificateResponse> {
  const { ctx } = deps;
  const { account, request, asker, target, snapshot } = question;
  const { login, user, device } = asker;
  // The machine checks the device before any certificate, so a new device must be in its map first.
  await deps.waitForMap(target.id, snapshot.map.version);
  const now = nowSeconds(ctx.clock);
  const serial = randomBytes(8).readBigUInt64BE() >> 1n;
  const caKey = await ctx.keys.signingCa(account.id);
  const token = await tokenFor(deps, question, now);
  const certificate = issueCertificate({
    caKey,
    serial,
    keyId: `user ${user.id} device ${device.id} login ${login.id}`,
    loginKey: login.loginKey,
    principals,
    targetPeerId: target.id,
    identity: {
      issuer: issuerUrl(user.issuer, { origin: ctx.origin, embeddedIssuer: ctx.oidc.issuer }),
      subject: user.subject,
      userId: user.id,
      devicePeerId: device.id,
      authTimeSeconds: login.authTime,
      binding: login.binding,
      mapVersion: snapshot.map.version,
      ...(request.accessReason === undefined ? {} : { accessReason: request.accessReason }),
    },
    idToken: token,
    nowSeconds: now,
  });
  await record(deps, question, {
    activity: "certificate.issue",
    targetId: target.id,
    meta: {
      serial: String(serial),
      binding: login.binding,
      principals: principals.join(" ").slice(0, 1024),
      mapVersion: String(snapshot.map.version),
    },
  });
  return {
    outcome: "issued",
    certificate: certificate.toString("base64"),
    target: targetInfo(target, account, deps.isConnected(target.id), deps.ctx.relayPort),
    principals: [...principals],
    validUntilSeconds: now + CERTIFICATE_LIFETIME_SECONDS,
    ...(await logSeen(deps, target)),
  };
}

/** The log checkpoint that the device carries to the machine. */
async function logSeen({ ctx }: LoginDeps, target: PeerRow): Promise<{ log?: LogSeen }> {
  const identity = await ctx.logs.identity(target.accountId);
  const newest = identity === undefined ? undefined : await ctx.logs.newest(target.accountId);
  if (identity === undefined || newest === undefined) return {};
  return { log: { ...identity, note: newest.note, inHello: target.flags?.log === true } };
}

/** The person's own token if it names the login key and may be shown to machines; otherwise ours. */
async function tokenFor(deps: LoginDeps, question: KnownTarget, now: number): Promise<string> {
  const { ctx } = deps;
  const { account, asker, target } = question;
  const mayShow = filled(account.settings).id_token_to_machine;
  if (asker.login.binding === "idp" && asker.idToken !== null && mayShow) return asker.idToken;
  return signManagementToken({
    signingKey: await ctx.keys.signingTokenKey(account.id),
    origin: ctx.origin,
    userId: asker.user.id,
    targetPeerId: target.id,
    loginKey: asker.login.loginKey,
    binding: asker.login.binding,
    nowSeconds: now,
  });
}

/** Stores the event before the answer; if it cannot be stored, there is no answer. */
async function record(deps: LoginDeps, question: Question, event: NewEvent): Promise<void> {
  const { account, asker, request, sourceAddress } = question;
  const { login, user, device } = asker;
  const meta = {
    ...event.meta,
    target: request.target,
    localUser: request.localUser,
    device: device.id,
    login: login.id,
    source: sourceAddress,
    ...(request.accessReason === undefined ? {} : { access_reason: request.accessReason }),
  };
  await deps.ctx.store.change(
    { accountId: account.id, initiator: initiatorOf(user), events: [{ ...event, meta }] },
    async () => {},
  );
}
