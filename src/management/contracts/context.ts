/**
 * The management context, which every part of management gets. `serve.ts` creates it; tests use fakes.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import type { Log } from "../../base/log.ts";
import type { NetworkRequest } from "../../policy/decide/network-rules.ts";
import type { PolicySnapshot } from "../../policy/decide/snapshot.ts";
import type { Reach } from "../../policy/maps/account-reach.ts";
import type { LoopbackHost } from "../../wire/client-config.ts";
import type { ClientAuthMethod } from "../../wire/identity-provider.ts";
import type { MapCa, NetworkMap, PublicJwk, TrustedIssuer } from "../../wire/network-map.ts";
import type { AccountId, PeerId, Port } from "../../wire/units.ts";
import type { Store } from "../db/store.ts";
import type { AccountLogs } from "./account-logs.ts";

export interface ManagementContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly keys: KeyRing;
  readonly maps: Maps;
  readonly logs: AccountLogs;
  readonly oidc: OidcSettings;
  /** Public origin without a trailing slash: `https://qf.example.com`. */
  readonly origin: string;
  /** Port of the relay's plain listener. Absent: there is none. */
  readonly relayPort?: Port | undefined;
}

/** Signing keys of an account, decrypted in memory only; encrypted at rest under the master key. */
export interface KeyRing {
  /** CAs in force, oldest first; the last one signs. */
  cas(accountId: AccountId): Promise<readonly MapCa[]>;
  signingCa(accountId: AccountId): Promise<Ed25519Key>;
  /** Public keys of management's own short-lived tokens (`typ` qufabric-login+jwt). */
  tokenKeys(accountId: AccountId): Promise<readonly PublicJwk[]>;
  signingTokenKey(accountId: AccountId): Promise<{ readonly kid: string; readonly key: Ed25519Key }>;
  /**
   * Issuers whose ID tokens are accepted, with their keys as last fetched and old ones within the login cap.
   */
  issuers(accountId: AccountId): Promise<readonly TrustedIssuer[]>;
}

/** Compiled maps, cached until their content changes. */
export interface Maps {
  /**
   * The peer's map as of everything committed. Its `version` is that of the last change of its own content.
   * Undefined: there is no such peer. Throws ERR_UNAVAILABLE when the account changes faster than it can be
   * read.
   */
  mapOf(accountId: AccountId, peerId: PeerId): Promise<NetworkMap | undefined>;
  /**
   * Like `mapOf`, with only the changes that this process has heard of; does not ask the database for newer
   * ones.
   */
  knownMapOf(accountId: AccountId, peerId: PeerId): Promise<NetworkMap | undefined>;
  /** Calls `onStale` whenever the peer's map may have changed. Returns a function that stops it. */
  watch(accountId: AccountId, peerId: PeerId, onStale: () => void): () => void;
  /** The map of `mapOf`, prepared for decisions. */
  snapshotOf(accountId: AccountId, peerId: PeerId): Promise<PolicySnapshot | undefined>;
  /**
   * Machines that the account's peers may reach, as of everything committed. Writes nothing. Undefined: there
   * is no such account.
   */
  reachOf(accountId: AccountId, request: Omit<NetworkRequest, "sourcePeerId">): Promise<Reach | undefined>;
  /**
   * Peers whose SSH port some rule opens to this one (`policy/maps/reachable.ts`). Empty: none, or no such
   * peer.
   */
  openedFor(accountId: AccountId, peerId: PeerId): Promise<ReadonlySet<PeerId>>;
}

/** The provider that signs people in, and how. */
export interface OidcSettings {
  readonly embedded: boolean;
  readonly issuer: string;
  /** Client of sign-ins that `qf` runs itself, with a loopback redirect. */
  readonly clientId: string;
  /**
   * Client of sign-ins on management's pages, which the secret and method belong to. `clientId` if one serves
   * both.
   */
  readonly webClientId: string;
  /** Null: a public client. */
  readonly clientSecret: string | null;
  /** How the client proves itself. Null: by the discovery document. */
  readonly clientAuth: ClientAuthMethod | null;
  /** Exact `aud` of all tokens. Null: the id of the client that asked. */
  readonly audience: string | null;
  readonly scope: string;
  readonly userIdClaim: string;
  readonly groupsClaim: string | null;
  /** Whether qf may run the loopback flow, and on which port; 0 is any. */
  readonly loopback: boolean;
  readonly redirectPort: number;
  /** Host of the loopback redirect as registered at the provider. */
  readonly loopbackHost: LoopbackHost;
  /** Fetches from the provider. Reaches the embedded one directly instead of over the public URL. */
  readonly fetch: typeof fetch;
}
