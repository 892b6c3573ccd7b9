/**
 * Environment variables that a client sends for one session, within sshd's bounds, and the line that tells
 * the person which ones the session does not get.
 *
 * @module
 */
import { printable } from "../../base/printable.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { Authorization } from "./authorize.ts";
import { mayClientSet } from "./environment.ts";

/** As many as sshd(8) takes. */
export const CLIENT_NAMES_MAX = 129;
/** Longest `NAME=value` that the kernel passes to a program (MAX_ARG_STRLEN), including the final NUL. */
export const CLIENT_ENTRY_BYTES_MAX = 131_072;
/** Total size as passed to a child. Protects the agent's memory, and fits into a child's spec. */
const CLIENT_BYTES_MAX = 1024 * 1024;
/** Names in that line; the rest are only counted. */
const SAID_MAX = 8;
const SAID_CHARS_MAX = 64;
/** Variables that clients send unasked; not taking them is not worth a line. */
const UNASKED = /^(?:LANG|LC_\w*)$/;

export class ClientEnvironment {
  readonly #values = new Map<string, string>();
  readonly #dropped = new Set<string>();
  #bytes = 0;

  /** Adds a variable. False: the bounds or the present grant keep it out of the session. */
  add(name: string, value: string, authorization: Authorization): boolean {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    const isTaken =
      authorization.kind === "allow" &&
      mayClientSet(name, authorization.grant.capabilities) &&
      !value.includes("\0") &&
      Buffer.byteLength(`${name}=${value}\0`) <= CLIENT_ENTRY_BYTES_MAX &&
      (this.#values.has(name) || this.#values.size < CLIENT_NAMES_MAX) &&
      this.#bytes + bytes <= CLIENT_BYTES_MAX;
    if (isTaken) {
      this.#values.set(name, value);
      this.#bytes += bytes;
    } else if (this.#dropped.size < CLIENT_NAMES_MAX) this.#dropped.add(name);
    return isTaken;
  }

  /** Variables for a session begun under `capabilities`. `say` gets the line about those left out. */
  under(capabilities: SshCapabilities, say: (line: string) => void): ReadonlyMap<string, string> {
    const taken = new Map([...this.#values].filter(([name]) => mayClientSet(name, capabilities)));
    const line = this.#lineAbout(taken);
    if (line !== null) say(line);
    return taken;
  }

  #lineAbout(taken: ReadonlyMap<string, string>): string | null {
    const names = new Set([...this.#values.keys(), ...this.#dropped]);
    const missing = [...names].filter((name) => !taken.has(name) && !UNASKED.test(name));
    if (missing.length === 0) return null;
    const said = missing.slice(0, SAID_MAX).map((name) => printable(name.slice(0, SAID_CHARS_MAX)));
    const rest = missing.length > SAID_MAX ? ` and ${missing.length - SAID_MAX} more` : "";
    const limits = `the policy names what it takes: at most ${CLIENT_NAMES_MAX}, of 128 kB each`;
    return `Not set here: ${said.join(" ")}${rest} (${limits})`;
  }
}
