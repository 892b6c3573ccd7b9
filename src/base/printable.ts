/**
 * Untrusted text as one line that cannot control a terminal. Each run of control characters, line breaks and
 * direction marks (U+202A to U+202E, U+2066 to U+2069) becomes one space; those at the ends are dropped.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
}

/** Multi-line text, such as a banner, with each line made `printable`. Line feeds stay. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
