/**
 * Faults of the provider's tokens: expected and actual value for a log, one sentence for a person. Terminal,
 * page and audit use the same words.
 *
 * @module
 */
import { printable } from "../base/printable.ts";
import { JWS_ALGORITHMS } from "../wire/certificate.ts";

/** The checks, in the order in which they are made. */
export type TokenCheck =
  | "form"
  | "algorithm"
  | "type"
  | "issuer"
  | "audience"
  | "azp"
  | "keys"
  | "key"
  | "signature"
  | "subject"
  | "email_verified"
  | "nonce"
  | "kind"
  | "times"
  | "not_yet_valid"
  | "too_old"
  | "expired";

export interface TokenFault {
  readonly check: TokenCheck;
  /** One line each, bounded. `got` is text from the token: never shown without `printable`. */
  readonly expected: string;
  readonly got: string;
}

export interface Sentence {
  /** Lower case, no full stop. */
  readonly message: string;
  readonly hint: string;
}

/** Longest token value quoted. */
const SHOWN_LENGTH_MAX = 200;
const NOTHING = "nothing";

export function tokenFault(check: TokenCheck, expected: string, got: unknown): TokenFault {
  return { check, expected, got: shown(got) };
}

/** A claim as one bounded line; lists are separated by commas. */
export function shown(value: unknown): string {
  if (value === undefined) return NOTHING;
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? typeof value);
  return printable(text.slice(0, SHOWN_LENGTH_MAX));
}

/** `fault` for a person, and the next step. Most faults only an administrator can fix. */
export function sentenceOfFault(fault: TokenFault): Sentence {
  return SENTENCES[fault.check](fault, `expected ${fault.expected}, got ${fault.got}`);
}

const SENTENCES: Readonly<Record<TokenCheck, (fault: TokenFault, compared: string) => Sentence>> = {
  form: (_, hint) => ({ message: "the identity provider gave no token that can be read", hint }),
  algorithm: ({ got }) => ({
    message: `the identity provider signs with ${got}, which is not taken`,
    hint: `have it sign ID tokens with one of ${JWS_ALGORITHMS.join(", ")}`,
  }),
  type: (_, hint) => ({ message: "the identity provider gave a token that is no ID token", hint }),
  issuer: ({ got }, compared) => ({
    message: `the token is by ${got}, another issuer`,
    hint: `${compared}; --oidc-issuer of management must be the same text, a final slash included`,
  }),
  audience: (_, compared) => ({
    message: "the token is for another client",
    hint: `${compared}; see --oidc-client-id and --oidc-audience of management`,
  }),
  azp: (_, compared) => ({
    message: "the token was given to another client",
    hint: `azp: ${compared}; see --oidc-client-id of management`,
  }),
  keys: () => ({
    message: "the identity provider's keys are not known",
    hint: "try again in a moment; management's log says why they could not be fetched",
  }),
  key: (_, compared) => ({
    message: "the token is signed with a key that the identity provider does not publish",
    hint: `${compared}; try again in a moment`,
  }),
  signature: () => ({
    message: "the token's signature is not the identity provider's",
    hint: "sign in again",
  }),
  subject: ({ expected }, compared) => ({
    message: `the token does not say who the person is: ${expected} is missing`,
    hint: `${compared}; see --oidc-user-id-claim of management`,
  }),
  email_verified: (_, compared) => ({
    message: "the identity provider has not verified the person's e-mail address",
    hint: `${compared}; or have management know people by another claim, see --oidc-user-id-claim`,
  }),
  nonce: ({ got }) =>
    got === NOTHING
      ? {
          message: "the identity provider leaves the nonce out of its token",
          hint: "sign in with --no-browser, which does without",
        }
      : { message: "the token belongs to another sign-in", hint: "sign in again" },
  kind: () => ({ message: "the identity provider gave a logout token", hint: "sign in again" }),
  times: (_, hint) => ({ message: "the times in the token make no sense", hint }),
  not_yet_valid: (_, compared) => ({
    message: "the identity provider's clock is ahead of this one",
    hint: `${compared}; synchronise the clocks`,
  }),
  too_old: () => ({ message: "the sign-in is too old", hint: "sign in again with qf login" }),
  expired: (_, compared) => ({
    message: "the identity provider's token has expired",
    hint: `${compared}; sign in again, and synchronise the clocks if it stays so`,
  }),
};
