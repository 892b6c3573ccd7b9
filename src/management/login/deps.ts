/**
 * Dependencies of signing in, registering and issuing certificates, beyond the management context.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { PeerId } from "../../wire/units.ts";
import type { TokenSource } from "../ca/issuer-keys.ts";
import type { SealedFor } from "../ca/seal.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { type AccountRow, listAccounts } from "../db/tables/accounts.ts";
import type { RelyingParty } from "../idp/relying-party.ts";
import type { Challenges } from "./challenges.ts";
import type { Refusals } from "./refusals.ts";

export interface LoginDeps {
  readonly ctx: ManagementContext;
  readonly challenges: Challenges;
  readonly refusals: Refusals;
  /** Encrypts short-lived secrets under the master key. */
  readonly sealer: Sealer;
  /** Whether a machine's control link is up. */
  readonly isConnected: (peerId: PeerId) => boolean;
  /** Resolves once a connected machine has acknowledged this map version, or after a short time limit. */
  readonly waitForMap: (peerId: PeerId, version: number) => Promise<void>;
  /** Fetches an external provider's keys again because of an unknown one. False: nothing new. */
  readonly refreshIssuerKeys: (source: TokenSource) => Promise<boolean>;
  /** Why the last fetch of an external provider's keys failed. Null: it did not, or there was none. */
  readonly issuerKeysFailure: () => QfError | null;
  /** UserInfo's claims about `subject`. Null: the provider has no such endpoint. */
  readonly userInfo: RelyingParty["userInfo"];
}

export interface Sealer {
  seal(secret: string, owner: SealedFor): string;
  unseal(sealed: string, owner: SealedFor): string;
}

/** The account that this server serves. Throws ERR_NOT_INITIALISED before there is one. */
export async function currentAccount({ store }: Pick<ManagementContext, "store">): Promise<AccountRow> {
  const [account] = await store.read(listAccounts);
  if (account === undefined) {
    throw new QfError("ERR_NOT_INITIALISED", "this management server is not set up yet", {
      hint: "open the set-up link it printed, or run qf management init",
    });
  }
  return account;
}
