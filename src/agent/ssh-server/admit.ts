/**
 * Step 6 of a sign-in (src/ARCHITECTURE.md): lets a proven identity in, or tells it why not. Either is stored
 * in audit before it happens.
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

/** Who signed in as which local user. Made once, and never changed. */
export interface AuthResult extends Subject {
  readonly localUser: LocalUser;
  readonly localUid: number;
  /** Serial of the certificate; null for a device key or an approval. */
  readonly serial: string | null;
}

/** Somebody is in: the connection runs until it ends. */
export interface Admitted {
  readonly kind: "admitted";
  readonly auth: AuthResult;
  readonly permit: Permit<"connection.open">;
}

export type Admission =
  | Admitted
  /** Proven, and not let in. */
  | {
      readonly kind: "refused";
      readonly denial: Denial;
      /** What the operating system's modules say about it. Empty: nothing. */
      readonly text: string;
    }
  | { readonly kind: "unproven"; readonly reason: ReasonCode }
  /** The client left while it was decided. */
  | Over;

export interface AdmissionRequest {
  readonly connectionId: string;
  readonly origin: StreamOrigin;
  readonly clientVersion: string;
  readonly localUser: string;
  /** Checks the proof. Called once. */
  prove(): Proof | Promise<Proof>;
  /** Asks the operating system's modules about an account that it has. */
  checkAccount(localUser: LocalUser): Promise<AccountAnswer>;
  /** Takes a place for this user; false when there is none left. */
  takePlace(key: string): boolean;
  /** Called once it is proven who asks: what is permitted from here on can be revoked. */
  permitsFor(subject: Subject): ConnectionPermits;
}

const CONNECT: Action = { kind: "connect" };
/** A map older than the certificate's gets this long to arrive. */
const MAP_WAIT_MS = 2_000;

/** Decides a request that comes with a proof. */
export async function admit(serverContext: ServerContext, request: AdmissionRequest): Promise<Admission> {
  const { localUser } = request;
  // The account is looked up whatever the policy says, so that a name that is nobody's costs the same.
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

/**
 * What costs time, and what only the machine can say, comes before anything is stored. Null: nothing is
 * against it.
 */
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

/** Whose connections are counted together. */
function placeOf({ who }: Subject): string {
  return who.kind === "user" ? who.userId : who.peerId;
}

function devicePeerOf({ who }: Subject): string | null {
  return who.kind === "user" ? who.devicePeerId : who.peerId;
}

/** A stream without a hello was not judged by network rules; the device that the certificate names is. */
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

/** It is known who asks, and what proves it is not accepted. */
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
