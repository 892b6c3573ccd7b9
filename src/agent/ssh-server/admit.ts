/**
 * Step 6 of a sign-in (src/ARCHITECTURE.md): admits a proven identity, or says why not. Both outcomes are
 * stored in audit before they take effect.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { denialOfLocalAccount } from "../../policy/decide/local-account.ts";
import { denialOfNetwork } from "../../policy/decide/network-rules.ts";
import type { Action } from "../../wire/decision.ts";
import { SSH_PORT } from "../../wire/ports.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { LocalUser } from "../../wire/units.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import { type LocalAccount, lookUpAccount, NO_ACCOUNT } from "../os/users.ts";
import { denied, requestRecord, type Subject } from "./authorize.ts";
import type { AccountAnswer } from "./pam-account.ts";
import type { Denial, Over } from "./permission.ts";
import { NO_FACTS, type Permit, permit, refuse } from "./permit.ts";
import { type ConnectionPermits, evidenceOf } from "./permit-context.ts";
import type { Proof } from "./proof-outcome.ts";

/** Who signed in as which local user. Immutable. */
export interface AuthResult extends Subject {
  readonly localUser: LocalUser;
  readonly localUid: number;
  /** Serial of the certificate; null for a device key or an approval. */
  readonly serial: string | null;
}

/** A client that has been admitted. Its permit lasts until the connection ends. */
export interface Admitted {
  readonly kind: "admitted";
  readonly auth: AuthResult;
  readonly permit: Permit<"connection.open">;
}

export type Admission =
  | Admitted
  /** Proven, but denied. */
  | {
      readonly kind: "refused";
      readonly denial: Denial;
      /** What PAM says about it. Empty: nothing. */
      readonly text: string;
    }
  | { readonly kind: "unproven"; readonly reason: ReasonCode }
  /** The client left before the decision was made. */
  | Over;

export interface AdmissionRequest {
  readonly connectionId: string;
  readonly origin: StreamOrigin;
  readonly clientVersion: string;
  readonly localUser: string;
  /** Checks the proof. Called once. */
  prove(): Proof | Promise<Proof>;
  /** Asks PAM about an account that exists. */
  checkAccount(localUser: LocalUser): Promise<AccountAnswer>;
  /** Takes one of this user's connection slots. False: none is left. */
  takePlace(key: string): boolean;
  /** Called once the identity is proven. What is permitted from here on can be revoked. */
  permitsFor(subject: Subject): ConnectionPermits;
}

const CONNECT: Action = { kind: "connect" };
/** How long to wait for a map that is as new as the certificate's. */
const MAP_WAIT_MS = 2_000;

/** Decides a sign-in request that carries a proof. */
export async function admit(serverContext: ServerContext, request: AdmissionRequest): Promise<Admission> {
  const { localUser } = request;
  // Look the account up in any case, so that an unknown name takes as long as a known one.
  const lookup = lookUpAccount(localUser, nowSeconds(serverContext.clock)).catch(() => null);
  const proof = await request.prove();
  if (proof.kind === "unproven") return proof;
  const account = await lookup;
  if (proof.kind === "refused") return refused(await refuseProof(serverContext, request, proof));
  if ((serverContext.snapshot()?.map.version ?? 0) < proof.mapVersion) {
    await serverContext.waitForMapVersion(proof.mapVersion, MAP_WAIT_MS);
  }
  const subject: Subject = { who: proof.who, localUser, localUid: account?.uid ?? null };
  const permits = request.permitsFor(subject);
  const denial = await denialBefore(serverContext, request, { subject, account, permits });
  if (denial !== null) return denial;
  const opened = await permit<"connection.open", object>(
    permits,
    { action: CONNECT, facts: NO_FACTS },
    ({ ruleId }) => ({
      type: "connection.open",
      devicePeerId: devicePeerOf(subject),
      localUser,
      path: request.origin.path,
      sourceAddress: request.origin.sourceAddress,
      clientVersion: request.clientVersion,
      certificateSerial: proof.serial,
      ruleId,
      ...(proof.who.kind === "user" && proof.who.offline === true ? { offline: true } : {}),
    }),
  );
  if (opened.kind === "deny") return refused(opened);
  if (opened.kind === "over") return opened;
  const auth: AuthResult = { ...subject, localUid: account?.uid ?? -1, serial: proof.serial };
  return { kind: "admitted", auth, permit: opened };
}

/** Checks that are slow or that only the machine can make, before anything is stored. Null: no objection. */
async function denialBefore(
  serverContext: ServerContext,
  request: AdmissionRequest,
  {
    subject,
    account,
    permits,
  }: { subject: Subject; account: LocalAccount | null; permits: ConnectionPermits },
): Promise<Admission | null> {
  const answer = permits.authorize(CONNECT);
  if (answer.kind === "deny") return refused(await refuse(permits, answer));
  const reason =
    denialOfUnprovenPath(serverContext, request.origin, subject) ??
    denialOfLocalAccount(account?.facts ?? NO_ACCOUNT) ??
    (request.takePlace(placeOf(subject)) ? null : "limit_reached");
  if (reason !== null) return refused(await refuse(permits, permits.deny(reason, CONNECT)));
  const asked = await request.checkAccount(subject.localUser);
  if (asked.reason === null) return null;
  return refused(await refuse(permits, permits.deny(asked.reason, CONNECT)), asked.text);
}

function refused(denial: Denial, text = ""): Admission {
  return { kind: "refused", denial, text };
}

/** Connections with the same key count against one limit. */
function placeOf({ who }: Subject): string {
  return who.kind === "user" ? who.userId : who.peerId;
}

function devicePeerOf({ who }: Subject): string | null {
  return who.kind === "user" ? who.devicePeerId : who.peerId;
}

/** Network rules have not judged a stream without a hello, so judge the device that the certificate names. */
function denialOfUnprovenPath(
  serverContext: ServerContext,
  origin: StreamOrigin,
  { who }: Subject,
): ReasonCode | null {
  const snapshot = serverContext.snapshot();
  if (origin.sourcePeerId !== null || who.kind !== "user" || who.devicePeerId === null) return null;
  if (snapshot === null) return "map_stale";
  return denialOfNetwork(
    { sourcePeerId: who.devicePeerId, port: SSH_PORT, nowSeconds: nowSeconds(serverContext.clock) },
    snapshot,
  );
}

/** Records the refusal of an identity that is known but whose proof is not accepted. */
function refuseProof(
  serverContext: ServerContext,
  { connectionId, origin, localUser }: AdmissionRequest,
  { reason, identity: { userId, devicePeerId } }: Proof & { kind: "refused" },
): Promise<Denial> {
  const evidence = evidenceOf(serverContext, { connectionId, origin, who: { kind: "unaccepted", userId } });
  const request = requestRecord(serverContext, { userId, devicePeerId, localUser, action: CONNECT });
  const { log } = serverContext;
  return refuse({ connectionId, log, evidence, onRefusal: () => {} }, denied(reason, request));
}
