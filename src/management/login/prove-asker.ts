/**
 * Proof of a person on their device: a request signed by a live login key and by the device it belongs to.
 *
 * @module
 */

import { QfError } from "../../base/errors.ts";
import type { ApiTokenRequest } from "../../wire/api-token.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import { findPeer, type PeerRow } from "../db/tables/peers.ts";
import type { LoginDeps } from "./deps.ts";
import { findLiveLogin, type ProvenLogin, readProof } from "./prove.ts";
import { checkSigned, proofHashOf, type SignedRequest } from "./signatures.ts";

/** A person with a live login, on the device that it was registered with. */
export interface Asker extends ProvenLogin {
  readonly device: PeerRow;
  /** As sent. Null if the login has another kind of proof. */
  readonly idToken: string | null;
}

export interface AskerOptions extends Pick<SignedRequest, "purpose"> {
  /** Fields that the signatures cover between the proof and the time. */
  readonly fields: Readonly<Record<string, string>>;
  /** What a refusal is recorded as. */
  readonly what: string;
  readonly sourceAddress: string;
}

/**
 * The person who signed `request`. Throws ERR_UNAUTHENTICATED for a bad signature, ERR_LOGIN_REQUIRED if the
 * login or the device is unknown or has ended, ERR_TOKEN_INVALID for a proof that is not this login's.
 */
export async function proveAsker(
  deps: LoginDeps,
  account: AccountRow,
  request: ApiTokenRequest,
  { purpose, fields, what, sourceAddress }: AskerOptions,
): Promise<Asker> {
  const { store } = deps.ctx;
  const { challenge, loginKey, devicePeerId, timeSeconds } = request;
  const device = await store.read((tx) => findPeer(tx, account.id, devicePeerId));
  await checkSigned(deps, {
    purpose,
    accountId: account.id,
    fields: {
      challenge,
      loginKey,
      devicePeerId,
      proofHash: proofHashOf(request.proof),
      ...fields,
      timeSeconds,
    },
    signatures: [
      { key: loginKey, signature: request.loginSignature },
      // A deleted device has no key to check with; it is refused by name below.
      ...(device === undefined ? [] : [{ key: device.deviceKey, signature: request.deviceSignature }]),
    ],
  });
  if (device === undefined) {
    throw new QfError("ERR_LOGIN_REQUIRED", "this device is not registered here", {
      hint: "sign in again with qf login",
    });
  }
  const refusal = { accountId: account.id, sourceAddress, what, user: () => null };
  return deps.refusals.noting(refusal, async () => {
    const proof = await readProof(deps, account, { proof: request.proof, loginKey, when: "again" });
    const { login, user } = await store.read((tx) => findLiveLogin(tx, deps, { account, proof, loginKey }));
    checkTogether({ login, user, device });
    return { login, user, device, idToken: proof.kind === "id_token" ? proof.idToken : null };
  });
}

/** A login counts only on the device it was registered with, and that device must be its person's. */
function checkTogether({ login, user, device }: Omit<Asker, "idToken">): void {
  if (login.devicePeerId !== device.id || device.ownerUserId !== user.id || device.kind !== "device") {
    throw new QfError("ERR_TOKEN_INVALID", "this login belongs to another device", { hint: "sign in again" });
  }
}
