/**
 * OSC 52: programs that ask to write to the clipboard. Refused until the user, asked once, allows it for that
 * shell. Requests to read the clipboard are never answered.
 *
 * @module
 */
import { cleanPaste } from "./paste.ts";

/** Longest base64 text that is accepted. xterm(1) accepts less. */
const BASE64_CHARS_MAX = 100_000;

/** The text that the sequence wants to write. Null: none, a read request, or not text. */
export function clipboardText(data: string): string | null {
  const at = data.indexOf(";");
  const encoded = data.slice(at + 1);
  if (at < 0 || encoded === "" || encoded === "?" || encoded.length > BASE64_CHARS_MAX) return null;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    const text = cleanPaste(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return text === "" ? null : text;
  } catch {
    return null;
  }
}

interface ClipboardParts {
  /** Shows the question with the text. False: another question is already open. */
  ask(text: string): boolean;
  write(text: string): Promise<void>;
}

export class ClipboardWrites {
  readonly #parts: ClipboardParts;
  #answer: "unasked" | "asked" | "yes" | "no" = "unasked";

  constructor(parts: ClipboardParts) {
    this.#parts = parts;
  }

  /** Handles a program's request to write `text`. */
  onText(text: string): void {
    if (this.#answer === "yes") this.#parts.write(text).catch(() => {});
    else if (this.#answer === "unasked" && this.#parts.ask(text)) this.#answer = "asked";
  }

  /** The user allows it, for the life of the shell. */
  async allow(text: string): Promise<void> {
    this.#answer = "yes";
    await this.#parts.write(text);
  }

  refuse(): void {
    if (this.#answer === "asked") this.#answer = "no";
  }
}
