/**
 * Flags read from a help text: their names, values and purposes.
 *
 * @module
 */

export interface HelpFlag {
  /** `-c` and `--count`, or one of the two. */
  readonly names: readonly string[];
  /** The value as help writes it, such as `GROUP,...`. Undefined: it takes none. */
  readonly placeholder: string | undefined;
  /** First line of its description. */
  readonly about: string;
}

/** `  -c, --count COUNT  description`. The description may be on the next line. */
const ROW = /^ {2}(-\w|(?:-\w, )?--[a-z][a-z-]*)(?: (\S+))?(?: {2,}(\S.*))?$/;

/** The flags in `help`, in order. */
export function helpFlags(help: string): HelpFlag[] {
  const lines = help.split("\n\nexamples:")[0]?.split("\n") ?? [];
  return lines.flatMap((line, at) => {
    const [, names, placeholder, about] = ROW.exec(line) ?? [];
    if (names === undefined) return [];
    const next = /^ {6,}(\S.*)$/.exec(lines[at + 1] ?? "")?.[1];
    return [{ names: names.split(", "), placeholder, about: about ?? next ?? "" }];
  });
}
