/**
 * Escape keys as in ssh(1): `~.` at the start of a line ends the connection, and `~~` sends one tilde.
 *
 * @module
 */

const ENDS_LINE: ReadonlySet<string> = new Set(["\r", "\n"]);

export class EscapeKeys {
  #isAtStart = true;
  #hasTilde = false;

  /** The part of `typed` to send. Null: the user ends the connection. */
  take(typed: string): string | null {
    let out = "";
    for (const key of typed) {
      if (this.#hasTilde) {
        this.#hasTilde = false;
        if (key === ".") return null;
        out += key === "~" ? "~" : `~${key}`;
      } else if (key === "~" && this.#isAtStart) {
        this.#hasTilde = true;
        continue;
      } else out += key;
      this.#isAtStart = ENDS_LINE.has(key);
    }
    return out;
  }
}
