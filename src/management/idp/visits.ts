/**
 * Limits on requests of one source to the embedded provider. A begun sign-in costs a record kept for minutes
 * and a turn of the database's one writer, before its source has proven anything.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { createSourceAttempts } from "./attempts.ts";

const WINDOW_MS = 60_000;
/** Requests of one source per minute. Enough for a whole office behind one address. */
const REQUESTS_MAX = 6_000;
/** Of those, requests to the authorization endpoint. A sign-in takes one to begin and two to finish. */
const SIGN_INS_MAX = 1_200;
/** The query is stored with the sign-in. Ours has less than one kilobyte. */
const QUERY_CHARS_MAX = 8_192;
/** Matches as the provider's router does. */
const AUTHORIZATION = /^\/idp\/auth(?:$|\/)/i;

export interface Visits {
  /**
   * Counts a request. Throws ERR_TOO_MANY, ERR_TOO_LARGE, or ERR_METHOD_NOT_ALLOWED for a form in place of a
   * query.
   */
  enter(request: Pick<Request, "url" | "method">, sourceAddress: string): void;
}

export function createVisits(clock: Clock): Visits {
  const requests = createSourceAttempts(clock, { countMax: REQUESTS_MAX, windowMs: WINDOW_MS });
  const signIns = createSourceAttempts(clock, { countMax: SIGN_INS_MAX, windowMs: WINDOW_MS });
  return {
    enter({ url, method }, sourceAddress) {
      const { pathname, search } = new URL(url);
      const isSignIn = AUTHORIZATION.test(pathname);
      if (!requests.take(sourceAddress) || (isSignIn && !signIns.take(sourceAddress))) {
        throw new QfError("ERR_TOO_MANY", "too many sign-ins from this address", { hint: "wait a minute" });
      }
      if (search.length > QUERY_CHARS_MAX) throw new QfError("ERR_TOO_LARGE", "the request is too large");
      if (isSignIn && method !== "GET" && method !== "HEAD") {
        throw new QfError("ERR_METHOD_NOT_ALLOWED", "a sign-in begins with GET");
      }
    },
  };
}
