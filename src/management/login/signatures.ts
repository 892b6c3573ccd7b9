/**
 * Checks of a signed request: its time, its challenge, its signatures.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { verifyEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { sha256 } from "../../base/random.ts";
import { CLOCK_SKEW_SECONDS } from "../../wire/certificate.ts";
import type { LoginProof } from "../../wire/client-api.ts";
import { type SignaturePurpose, signedBytes } from "../../wire/signed-fields.ts";
import type { LoginDeps } from "./deps.ts";

export interface SignedRequest {
  readonly purpose: SignaturePurpose;
  readonly accountId: string;
  readonly fields: Readonly<Record<string, string | number>> & {
    readonly challenge: string;
    readonly timeSeconds: number;
  };
  /** Public keys with the signatures they must have made, all over the same bytes. */
  readonly signatures: readonly { readonly key: string; readonly signature: string }[];
}

/**
 * Uses up the challenge, whatever the outcome. Throws ERR_UNAUTHENTICATED for a bad challenge or signature,
 * ERR_BAD_REQUEST if the clocks differ by more than a minute.
 */
export async function checkSigned(deps: LoginDeps, request: SignedRequest): Promise<void> {
  const { ctx } = deps;
  await deps.challenges.use(request.fields.challenge);
  checkTime(nowSeconds(ctx.clock), request.fields.timeSeconds);
  const scope = { accountId: request.accountId, origin: ctx.origin };
  const bytes = signedBytes(request.purpose, scope, request.fields);
  for (const { key, signature } of request.signatures) {
    if (!verifyEd25519(key, bytes, signature)) {
      throw new QfError("ERR_UNAUTHENTICATED", "a signature of the request is not good");
    }
  }
}

/** Throws ERR_BAD_REQUEST with both times if they differ by more than a minute. */
export function checkTime(ourSeconds: number, theirSeconds: number): void {
  if (Math.abs(ourSeconds - theirSeconds) <= CLOCK_SKEW_SECONDS) return;
  const seconds = theirSeconds - ourSeconds;
  throw new QfError(
    "ERR_BAD_REQUEST",
    `this machine's clock is ${Math.abs(seconds)} seconds ` +
      `${seconds > 0 ? "ahead of" : "behind"} the server's`,
    { hint: "synchronise the clocks" },
  );
}

/** The proof's digest in signed fields. */
export function proofHashOf(proof: LoginProof): string {
  switch (proof.kind) {
    case "id_token":
      return sha256(proof.idToken);
    case "claimed":
      return sha256(proof.loginId);
    case "service_token":
      return sha256(proof.token);
  }
}
