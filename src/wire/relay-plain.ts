/**
 * The first line of a plain connection to the relay, which carries one stream of a client without frames:
 * `QUFABRIC-RELAY/1 <proof> <hello>\n`, then SSH both ways. It needs no TLS: what follows is SSH ciphertext,
 * and both signatures are accepted once. Nothing is answered before the machine speaks.
 *
 * The proof is that of `RELAY_PROOF_HEADER`. Clients dial the host of management's public URL, at the port
 * that `TargetInfo` names.
 *
 * @module
 */
import { HELLO_BYTES_MAX } from "./hello.ts";

const PREFIX = "QUFABRIC-RELAY/1";
/** Longest line in bytes, with its line feed: a hello, the prefix and a signature. */
export const RELAY_LINE_BYTES_MAX = HELLO_BYTES_MAX + PREFIX.length + 88;
const LINE = /^QUFABRIC-RELAY\/1 ([A-Za-z0-9_-]{86}) ([\x20-\x7e]+)$/;

/** The line with its line feed. */
export function relayLine({ hello, proof }: { readonly hello: string; readonly proof: string }): string {
  return `${PREFIX} ${proof} ${hello}\n`;
}

/** What a line without its line feed claims. Null: it is none. */
export function parseRelayLine(line: string): { readonly hello: string; readonly proof: string } | null {
  const [, proof, hello] = LINE.exec(line) ?? [];
  return proof === undefined || hello === undefined ? null : { hello, proof };
}
