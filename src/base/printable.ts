/**
 * Text from elsewhere as one line that cannot drive a terminal: runs of control characters, line breaks and
 * direction marks (U+202A to U+202E, U+2066 to U+2069) become one space each, those at the ends nothing.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
}

/** Text of several lines, such as a banner, with each line made `printable`: line feeds stay. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
