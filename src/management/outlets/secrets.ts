/**
 * Encryption of outlets' secrets at rest: signing secrets of webhooks, and URLs of chats.
 *
 * @module
 */
import { seal, unseal } from "../ca/seal.ts";

interface Owner {
  readonly id: string;
  readonly accountId: string;
}

/** Seals a secret, so that it opens for this outlet only. */
export function sealOutletSecret(masterKey: Uint8Array, owner: Owner, secret: string): string {
  return seal(masterKey, secret, sealedFor(owner));
}

/** Throws ERR_STATE_DAMAGED when the secret was not sealed for this outlet. */
export function openOutletSecret(
  masterKey: Uint8Array,
  outlet: Owner & { readonly secret: string | null },
): string {
  return unseal(masterKey, outlet.secret ?? "", sealedFor(outlet)).toString("utf8");
}

function sealedFor({ id, accountId }: Owner) {
  return { purpose: "log_outlets.secret", id, accountId };
}
