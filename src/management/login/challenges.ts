/**
 * Single-use challenges. Issuing one writes nothing, so requesting many costs little; using one is recorded.
 *
 * A challenge is its expiry, a random part, and a MAC over both, so it cannot be forged. Using it inserts its
 * digest, which the database accepts once.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { sha256 } from "../../base/random.ts";
import { CLOCK_SKEW_SECONDS } from "../../wire/certificate.ts";
import type { Challenge } from "../../wire/client-api.ts";
import type { Store } from "../db/store.ts";
import { insertChallenge } from "../db/tables/sign-in.ts";

const LIFETIME_SECONDS = 60;
/** 4 bytes of expiry, 12 random, 16 of MAC: 43 characters of base64url. */
const EXPIRY_BYTES = 4;
const BODY_BYTES = 16;
const CHALLENGE_BYTES = 32;

export interface Challenges {
  issue(): Challenge;
  /** Uses it up. Throws ERR_UNAUTHENTICATED if it is not ours, too old, or used already. */
  use(challenge: string): Promise<void>;
}

export function createChallenges(deps: { store: Store; clock: Clock; masterKey: Uint8Array }): Challenges {
  const key = createHmac("sha256", deps.masterKey).update("qufabric/challenge/v1").digest();
  const macOf = (body: Uint8Array): Buffer =>
    createHmac("sha256", key)
      .update(body)
      .digest()
      .subarray(0, CHALLENGE_BYTES - BODY_BYTES);
  return {
    issue() {
      const expiresAtSeconds = nowSeconds(deps.clock) + LIFETIME_SECONDS;
      const body = Buffer.alloc(BODY_BYTES);
      body.writeUInt32BE(expiresAtSeconds);
      randomBytes(BODY_BYTES - EXPIRY_BYTES).copy(body, EXPIRY_BYTES);
      return { challenge: Buffer.concat([body, macOf(body)]).toString("base64url"), expiresAtSeconds };
    },
    async use(challenge) {
      const bytes = Buffer.from(challenge, "base64url");
      const body = bytes.subarray(0, BODY_BYTES);
      const isOurs =
        bytes.length === CHALLENGE_BYTES &&
        bytes.toString("base64url") === challenge &&
        timingSafeEqual(bytes.subarray(BODY_BYTES), macOf(body));
      if (!isOurs || body.readUInt32BE() <= nowSeconds(deps.clock)) throw notFresh();
      const expiresAt = body.readUInt32BE() + CLOCK_SKEW_SECONDS;
      try {
        await deps.store.transaction((tx) => insertChallenge(tx, sha256(challenge), expiresAt));
      } catch (cause) {
        throw isQfError(cause, "ERR_CONFLICT") ? notFresh() : cause;
      }
    },
  };
}

function notFresh(): QfError {
  return new QfError("ERR_UNAUTHENTICATED", "the challenge is unknown, too old or was used", {
    hint: "ask for a new one",
  });
}
