/**
 * OSC 52: a program asks to put text on the clipboard. Off until the person allows it for that shell, asked
 * once; reading the clipboard is never answered.
 *
 * @module
 */
import { cleanPaste } from "./paste.ts";

/** Longest text in base64 that is taken; xterm(1) takes less. */
const BASE64_CHARS_MAX = 100_000;

/** What the sequence asks to put there. Null: nothing, to read, or what is no text. */
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
  /** Shows the question with the text. False: another question is open. */
  ask(text: string): boolean;
  write(text: string): Promise<void>;
}

export class ClipboardWrites {
  readonly #parts: ClipboardParts;
  #answer: "unasked" | "asked" | "yes" | "no" = "unasked";

  constructor(parts: ClipboardParts) {
    this.#parts = parts;
  }

  /** A program wants to write `text`. */
  onText(text: string): void {
    if (this.#answer === "yes") this.#parts.write(text).catch(() => {});
    else if (this.#answer === "unasked" && this.#parts.ask(text)) this.#answer = "asked";
  }

  /** The person's answer, which holds as long as the shell. */
  async allow(text: string): Promise<void> {
    this.#answer = "yes";
    await this.#parts.write(text);
  }

  refuse(): void {
    if (this.#answer === "asked") this.#answer = "no";
  }
}
