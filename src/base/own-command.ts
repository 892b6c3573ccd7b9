/**
 * The command that starts this very program again: the built executable, or Bun with our main file when run
 * from source.
 *
 * @module
 */

/** Whether this is the built executable. False when run from source, as tests do. */
export function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/");
}

/** The first words of the command, to which a subcommand is appended. The first is an absolute path. */
export function ownCommand(): [string, ...string[]] {
  if (isCompiled()) return [process.execPath];
  return [process.execPath, Bun.fileURLToPath(new URL("../main.ts", import.meta.url))];
}
