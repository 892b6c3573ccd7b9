/**
 * Strict JSON that every reader understands alike: UTF-8, one value per name, bounded depth.
 *
 * `JSON.parse` keeps the last of two equal names, other parsers the first. The meaning of signed data must
 * not depend on the parser.
 *
 * @module
 */

/** Deeper than any document of ours or a provider's. Bounds the scan. */
const DEPTH_MAX = 16;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The JSON object in `text`. Undefined when it is anything else, is not UTF-8, repeats a name within an
 * object, or nests deeper than 16.
 */
export function parseStrictJsonObject(text: string | Uint8Array): Record<string, unknown> | undefined {
  try {
    const decoded = typeof text === "string" ? text : utf8.decode(text);
    const value: unknown = JSON.parse(decoded);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return hasUniqueNames(decoded) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether no object in `json`, which is valid JSON, has a name twice. Names are compared after decoding. */
function hasUniqueNames(json: string): boolean {
  /** One entry per open bracket: the names so far, or null in an array. */
  const open: (Set<string> | null)[] = [];
  let expectsName = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '"') {
      const end = endOfString(json, i);
      const names = open.at(-1);
      if (expectsName && names) {
        const name: unknown = JSON.parse(json.slice(i, end));
        if (typeof name !== "string" || names.has(name)) return false;
        names.add(name);
      }
      expectsName = false;
      i = end - 1;
    } else if (char === "{" || char === "[") {
      if (open.push(char === "{" ? new Set() : null) > DEPTH_MAX) return false;
      expectsName = char === "{";
    } else if (char === "}" || char === "]") {
      open.pop();
      expectsName = false;
    } else if (char === ",") {
      expectsName = open.at(-1) !== null;
    }
  }
  return true;
}

/** Index after the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i + 1;
}
