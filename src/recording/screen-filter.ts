/**
 * Filters output of a hostile machine for a person's terminal. It passes text, colours, cursor movement,
 * erasing, scrolling and modes that `restore` undoes, and nothing else: no titles, links, clipboard, images,
 * device strings, or queries that a terminal would answer.
 *
 * @module
 */

/** Final bytes of CSI sequences that only draw, without private markers (ECMA-48). */
const DRAWING = new Set("@ABCDEFGHIJKLMPSTXZ`abdefgjmr");
/** Private modes (DECSET, DECRST) needed for display, which `restore` undoes. */
const MODES = new Set(["1", "6", "7", "25", "47", "1047", "1048", "1049", "2026"]);
/** Longest sequence; longer ones are dropped. */
const SEQUENCE_MAX = 256;
const TWO_CHARACTER = new Set("78DEHM=>c");
const ESC = "\u001b";
/** Text that passes unchanged: most of what programs print. */
const PLAIN = /^[\x20-\x7e\n\r\t]*$/;

type State = "text" | "escape" | "csi" | "string" | "string-escape" | "charset";

export class ScreenFilter {
  #state: State = "text";
  #sequence = "";

  /** The part of `text` that may be shown. */
  filter(text: string): string {
    if (this.#state === "text" && PLAIN.test(text)) return text;
    let shown = "";
    for (const character of text) shown += this.#take(character);
    return shown;
  }

  /** A sequence that resets the terminal: modes, scroll region, attributes, character set, cursor. */
  static restore(): string {
    const modes = ["?1", "?6", "?1049", "?2026", "4"].map((mode) => `${ESC}[${mode}l`).join("");
    return `${modes}${ESC}[?7h${ESC}[?25h${ESC}[r${ESC}[0m${ESC}[0 q${ESC}(B${ESC}>\u000f\r\n`;
  }

  #take(character: string): string {
    const code = character.codePointAt(0) ?? 0;
    switch (this.#state) {
      case "text":
        return this.#text(character, code);
      case "escape":
        return this.#escape(character);
      case "csi":
        return this.#csi(character, code);
      case "charset":
        this.#state = "text";
        return /[0AB]/.test(character) ? `${ESC}${this.#sequence}${character}` : "";
      case "string":
        if (character === ESC) this.#state = "string-escape";
        else if (code === 0x07 || code === 0x9c || code === 0x18 || code === 0x1a) this.#state = "text";
        return "";
      case "string-escape":
        // ESC \ ends it; any other escape begins a new sequence.
        if (character === "\\") this.#state = "text";
        else return this.#escape(character);
        return "";
    }
  }

  #text(character: string, code: number): string {
    if (character === ESC) this.#state = "escape";
    // 8-bit controls: CSI, and the beginnings of strings.
    else if (code === 0x9b) this.#begin("csi");
    else if (code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f)) this.#begin("string");
    else if (code >= 0x20 && code !== 0x7f && (code < 0x80 || code > 0x9f)) {
      return code >= 0xdc80 && code <= 0xdcff ? "\ufffd" : character;
    } else if (code >= 0x07 && code <= 0x0f) return character;
    return "";
  }

  #escape(character: string): string {
    if (character === "[") return this.#begin("csi");
    if ("]PX^_".includes(character)) return this.#begin("string");
    if (character === ESC) return this.#begin("escape");
    if ("()*+".includes(character)) {
      this.#begin("charset");
      this.#sequence = character;
      return "";
    }
    this.#state = "text";
    // RIS would also clear earlier content.
    if (character === "c") return `${ESC}[0m${ESC}[r${ESC}[2J${ESC}[H`;
    return TWO_CHARACTER.has(character) ? `${ESC}${character}` : "";
  }

  #csi(character: string, code: number): string {
    if (character === ESC) return this.#begin("escape");
    // Controls within a sequence take effect at once; CAN and SUB end it.
    if (code === 0x18 || code === 0x1a) return this.#begin("text");
    if (code < 0x20 || code > 0x7e) return "";
    if (this.#sequence.length < SEQUENCE_MAX) this.#sequence += character;
    if (code < 0x40) return "";
    const sequence = this.#sequence;
    this.#begin("text");
    return allowedCsi(sequence);
  }

  #begin(state: State): "" {
    this.#state = state;
    this.#sequence = "";
    return "";
  }
}

/** The sequence to pass; `sequence` is without its CSI. Empty: blocked. */
function allowedCsi(sequence: string): string {
  const match = /^([?<=>]?)([\d;:]*)([ !"$'*+,]?)([@-~])$/.exec(sequence);
  if (match === null) return "";
  const [, mark = "", parameters = "", between = "", end = ""] = match;
  if (between !== "") return between === " " && end === "q" && mark === "" ? `${ESC}[${sequence}` : "";
  if (mark === "" && DRAWING.has(end)) return `${ESC}[${sequence}`;
  // Insert mode; other ANSI modes do not matter for display.
  if (mark === "" && (end === "h" || end === "l")) return parameters === "4" ? `${ESC}[${sequence}` : "";
  if (mark !== "?" || (end !== "h" && end !== "l")) return "";
  const modes = parameters.split(";").filter((mode) => MODES.has(mode));
  return modes.length === 0 ? "" : `${ESC}[?${modes.join(";")}${end}`;
}
