/**
 * The claim of a hosted sign-in by its terminal, with the code that the page showed to the person.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { isEqualSecret, sha256 } from "../../base/random.ts";
import type { LoginProof } from "../../wire/client-api.ts";
import { HostedLoginData } from "../../wire/hosted-login.ts";
import type { HostedClaimRequest, HostedClaimResponse } from "../../wire/hosted-login-api.ts";
import type { Writer } from "../db/engine/transaction.ts";
import { findHostedLogin, type HostedLoginRow, updateHostedLogin } from "../db/tables/logins.ts";
import type { LoginDeps } from "./deps.ts";
import { findOpen, HOSTED_LIFETIME_SECONDS, sealedFor } from "./hosted.ts";
import { oneTimeCodeHash } from "./one-time-code.ts";

/**
 * Answers POST /client/v1/hosted/{id}/claim. Throws ERR_NOT_FOUND if it has ended or the poll secret is
 * wrong.
 */
export async function claimHosted(
  deps: LoginDeps,
  id: string,
  request: HostedClaimRequest,
): Promise<HostedClaimResponse> {
  const { store, clock } = deps.ctx;
  // Terminals poll, so the first look takes no write transaction.
  const found = await findOpen(deps, id);
  const seen = answerWithoutCode(found?.row, request);
  if (seen !== undefined || found === undefined) return seen ?? { status: "waiting" };
  return store.transaction(async (tx) => {
    const row = await findHostedLogin(tx, found.row.id);
    const early = answerWithoutCode(row, request);
    if (early !== undefined || row === undefined) return early ?? { status: "waiting" };
    const data = HostedLoginData.parse(row.data);
    if (data.confirmation === "code" && !isCode(row, request.code ?? "")) return wrongCode(tx, row);
    const { proof, ...rest } = data;
    // The registration that follows reads it once more.
    const expiresAt = nowSeconds(clock) + HOSTED_LIFETIME_SECONDS;
    await updateHostedLogin(tx, row.id, "approved", {
      state: "claimed",
      codeHash: null,
      data: rest,
      expiresAt,
    });
    return { status: "approved", proof: openProof(deps, row, proof) };
  });
}

/** The answer that needs no code. Undefined: the sign-in is approved, and the code decides. */
function answerWithoutCode(
  row: HostedLoginRow | undefined,
  request: HostedClaimRequest,
): HostedClaimResponse | undefined {
  if (row === undefined || !isEqualSecret(row.pollSecretHash, sha256(request.pollSecret))) {
    throw new QfError("ERR_NOT_FOUND", "this sign-in is over", { hint: "start again" });
  }
  const { approval, confirmation, failure } = HostedLoginData.parse(row.data);
  if (approval !== undefined) throw new QfError("ERR_NOT_FOUND", "this sign-in is a machine's");
  if (row.state === "waiting") return { status: "waiting" };
  if (row.state === "denied") return { status: "denied", ...failure };
  if (row.state === "claimed") throw new QfError("ERR_NOT_FOUND", "this sign-in was used already");
  return confirmation === "code" && request.code === undefined ? { status: "waiting" } : undefined;
}

/** Whether `typed` is the code that the page of this sign-in showed. */
export function isCode(row: HostedLoginRow, typed: string): boolean {
  return row.codeHash !== null && isEqualSecret(row.codeHash, oneTimeCodeHash(row.id, typed));
}

async function wrongCode(tx: Writer, row: HostedLoginRow): Promise<HostedClaimResponse> {
  const triesLeft = row.triesLeft - 1;
  const { proof: _, ...rest } = HostedLoginData.parse(row.data);
  const isOver = triesLeft <= 0;
  await updateHostedLogin(
    tx,
    row.id,
    "approved",
    isOver ? { triesLeft: 0, state: "denied", codeHash: null, data: rest } : { triesLeft },
  );
  return { status: "wrong_code", triesLeft };
}

function openProof(deps: LoginDeps, row: HostedLoginRow, kept: HostedLoginData["proof"]): LoginProof {
  if (kept === undefined) throw new QfError("ERR_NOT_FOUND", "this sign-in was used already");
  if (kept.kind === "claimed") return { kind: "claimed", loginId: kept.loginId };
  return { kind: "id_token", idToken: deps.sealer.unseal(kept.sealed, sealedFor(row)), hostedId: row.id };
}
