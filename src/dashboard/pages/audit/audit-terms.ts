/**
 * Terms by which the audit log is filtered, as they stand in the address.
 *
 * @module
 */
export const AUDIT_TERMS = ["user", "machine", "activity", "receipt"] as const;

export type AuditTerms = { readonly [T in (typeof AUDIT_TERMS)[number]]?: string };

const CHARS_MAX = 256;

/** Those of an address; anything else is left out. */
export function auditTermsOf(search: Readonly<Record<string, unknown>>): AuditTerms {
  const given = AUDIT_TERMS.flatMap((term) => {
    const value = search[term];
    const text = typeof value === "number" ? String(value) : value;
    return typeof text === "string" && text !== "" && text.length <= CHARS_MAX ? [[term, text] as const] : [];
  });
  return Object.fromEntries(given);
}
