/**
 * `~.` at the beginning of a line ends the connection, as in ssh(1); `~~` is one tilde.
 *
 * @module
 */

const ENDS_LINE: ReadonlySet<string> = new Set(["\r", "\n"]);

export class EscapeKeys {
  #isAtStart = true;
  #hasTilde = false;

  /** What of `typed` is to be sent. Null: the person ends the connection. */
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
