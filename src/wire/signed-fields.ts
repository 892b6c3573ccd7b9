/**
 * The bytes covered by each of our signatures outside SSH, so that none can be mistaken for another.
 *
 * `qufabric/<purpose>/v1\0`, then each field in the order given as two SSH strings (uint32 length, bytes; RFC
 * 4251 section 5): its name and its value in UTF-8. Account id and management origin always come first.
 *
 * @module
 */

/** Each purpose has one place that signs and one that checks. */
export type SignaturePurpose =
  | "hello"
  | "enrol"
  | "register"
  | "sync"
  | "mint"
  | "logout"
  | "api-token"
  | "vouch"
  | "offline-login"
  | "relay"
  | "tunnel-dial"
  | "tunnel-accept"
  | "target"
  | "audit"
  | "log-key"
  | "move"
  | "names"
  | "recording";

/** The bytes to sign. Values are text; numbers are written in decimal. */
export function signedBytes(
  purpose: SignaturePurpose,
  scope: { readonly accountId: string; readonly origin: string },
  fields: Readonly<Record<string, string | number>>,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [new TextEncoder().encode(`qufabric/${purpose}/v1\0`)];
  for (const [name, value] of [
    ["account", scope.accountId],
    ["origin", scope.origin],
    ...Object.entries(fields),
  ]) {
    for (const text of [name, String(value)]) {
      const bytes = new TextEncoder().encode(text);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length);
      parts.push(length, bytes);
    }
  }
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
