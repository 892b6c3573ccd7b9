/**
 * A person's name and e-mail from the provider, for display only. Providers fill different claims (OpenID
 * Connect Core 5.1).
 *
 * @module
 */

type Claims = Readonly<Record<string, unknown>>;

export interface PersonClaims {
  /** Absent: none of them is there. */
  readonly name?: string;
  readonly email?: string;
}

const LENGTH_MAX = 254;

/** Name and e-mail, from the intended claim or the next best. */
export function personClaims(payload: Claims): PersonClaims {
  const full = [text(payload.given_name), text(payload.family_name)].filter((part) => part !== undefined);
  const name =
    text(payload.name) ??
    (full.length > 0 ? full.join(" ") : undefined) ??
    text(payload.preferred_username) ??
    text(payload.nickname);
  const email = text(payload.email);
  return { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= LENGTH_MAX ? value : undefined;
}
