/**
 * Flags as a help text lists them: how they are written, what value they take, what they are for.
 *
 * @module
 */

export interface HelpFlag {
  /** `-c` and `--count`, or one of the two. */
  readonly names: readonly string[];
  /** `GROUP,...`, as help writes the value. Undefined: it takes none. */
  readonly placeholder: string | undefined;
  /** First line of what help says of it. */
  readonly about: string;
}

/** `  -c, --count COUNT  what for`; what it is for may stand on the next line. */
const ROW = /^ {2}(-\w|(?:-\w, )?--[a-z][a-z-]*)(?: (\S+))?(?: {2,}(\S.*))?$/;

/** The flags of `help`, in its order. */
export function helpFlags(help: string): HelpFlag[] {
  const lines = help.split("\n\nexamples:")[0]?.split("\n") ?? [];
  return lines.flatMap((line, at) => {
    const [, names, placeholder, about] = ROW.exec(line) ?? [];
    if (names === undefined) return [];
    const next = /^ {6,}(\S.*)$/.exec(lines[at + 1] ?? "")?.[1];
    return [{ names: names.split(", "), placeholder, about: about ?? next ?? "" }];
  });
}
