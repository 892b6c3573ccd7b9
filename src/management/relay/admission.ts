/**
 * Admission to the relay: who may open a relayed stream, and which machine may offer itself.
 *
 * The relay makes the same checks as the machine does from its own map. This keeps strangers out, and the
 * machine does not rely on it. A stream leads from a registered device to the SSH port of a machine of the
 * same account; a client cannot name any other host.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { checkHello, parseHello } from "../../fabric/hello.ts";
import { isRelayDialProof, parseRelayServe } from "../../fabric/relay-client.ts";
import { createReplayCache } from "../../fabric/replay-cache.ts";
import { denialOfNetwork } from "../../policy/decide/network-rules.ts";
import { findPeer } from "../../policy/decide/snapshot.ts";
import { CLOCK_SKEW_SECONDS } from "../../wire/certificate.ts";
import type { Hello } from "../../wire/hello.ts";
import { ruledPort } from "../../wire/ping.ts";
import {
  RELAY_BESIDE_HEADER,
  RELAY_HELLO_HEADER,
  RELAY_PROOF_HEADER,
  type RelayReset,
} from "../../wire/relay.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { findPeerById } from "../db/tables/peers.ts";

export interface AdmittedDial {
  readonly ok: true;
  readonly accountId: AccountId;
  readonly hello: Hello;
  /** The hello as received, without its newline. Passed on to the machine. */
  readonly line: string;
  /** The client's proof to the relay as received. Passed on to another management process. */
  readonly proof: string;
}

export interface AdmittedAgent {
  readonly ok: true;
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly name: string;
  /** An older link of the machine stays until its streams have ended. */
  readonly isBeside: boolean;
}

export interface NotAdmitted {
  readonly ok: false;
  readonly reset: RelayReset;
  /** The proven device. Null: none is proven. */
  readonly source: PeerId | null;
}

/** The client's claim: the values of `RELAY_HELLO_HEADER` and `RELAY_PROOF_HEADER`. */
export interface DialClaim {
  readonly hello: string;
  readonly proof: string;
}

/** The claim of a client that can set headers, unlike a page. */
export function claimOf(headers: Headers): DialClaim {
  return { hello: headers.get(RELAY_HELLO_HEADER) ?? "", proof: headers.get(RELAY_PROOF_HEADER) ?? "" };
}

export interface Admission {
  /** Checks a client's request for a stream. Each hello is admitted once. */
  dial(claim: DialClaim): Promise<AdmittedDial | NotAdmitted>;
  /** Checks a machine's request to offer itself. */
  serve(headers: Headers): Promise<AdmittedAgent | NotAdmitted>;
  /** Whether the network rules still permit an admitted stream. */
  mayGoOn(accountId: AccountId, hello: Hello): Promise<boolean>;
  /** Whether the machine still exists and is active. */
  isMachine(peerId: PeerId): Promise<boolean>;
}

const UNPROVEN: NotAdmitted = { ok: false, reset: "unproven", source: null };

export function createAdmission(context: ManagementContext): Admission {
  const { store, maps, clock, origin } = context;
  const hellos = createReplayCache();
  const offers = createReplayCache();
  return {
    async dial({ hello: line, proof }) {
      const parsed = parseHello(line);
      if (parsed === null) return UNPROVEN;
      const { source, target } = parsed.hello;
      const peer = await store.read((tx) => findPeerById(tx, source));
      if (peer === undefined) return UNPROVEN;
      const scope = { accountId: peer.accountId, origin };
      if (!isRelayDialProof(peer.deviceKey, scope, line, proof)) return UNPROVEN;
      const refused: NotAdmitted = { ok: false, reset: "refused", source };
      const snapshot = await maps.snapshotOf(peer.accountId, target);
      if (snapshot === undefined) return refused;
      const now = nowSeconds(clock);
      const answer = checkHello(line, {
        scope,
        self: target,
        // The machine itself remembers what an earlier process of management admitted.
        startSeconds: 0,
        nowSeconds: now,
        deviceKeyOf: (peerId) => findPeer(snapshot.map, peerId)?.deviceKey,
        refuse: ({ port }) =>
          denialOfNetwork({ sourcePeerId: source, port: ruledPort(port), nowSeconds: now }, snapshot),
        replays: hellos,
      });
      if (!answer.ok) return refused;
      return { ok: true, accountId: peer.accountId, hello: answer.hello, line, proof };
    },

    async serve(headers) {
      const parsed = parseRelayServe(headers.get(RELAY_PROOF_HEADER) ?? "");
      if (parsed === null) return UNPROVEN;
      const { peerId, timeSeconds, nonce } = parsed.proof;
      const now = nowSeconds(clock);
      if (Math.abs(timeSeconds - now) > CLOCK_SKEW_SECONDS) return UNPROVEN;
      const peer = await store.read((tx) => findPeerById(tx, peerId));
      if (peer === undefined || peer.kind !== "machine") return UNPROVEN;
      if (!parsed.isBy(peer.deviceKey, { accountId: peer.accountId, origin })) return UNPROVEN;
      if (offers.take(peerId, nonce, timeSeconds + CLOCK_SKEW_SECONDS, now) !== "fresh") return UNPROVEN;
      if (peer.status !== "active") return { ok: false, reset: "refused", source: peerId };
      const isBeside = headers.has(RELAY_BESIDE_HEADER);
      return { ok: true, accountId: peer.accountId, peerId, name: peer.name, isBeside };
    },

    async mayGoOn(accountId, { source, target, port }) {
      const snapshot = await maps.snapshotOf(accountId, target);
      if (snapshot === undefined) return false;
      const request = { sourcePeerId: source, port: ruledPort(port), nowSeconds: nowSeconds(clock) };
      return denialOfNetwork(request, snapshot) === null;
    },

    async isMachine(peerId) {
      const peer = await store.read((tx) => findPeerById(tx, peerId));
      return peer?.kind === "machine" && peer.status === "active";
    },
  };
}
