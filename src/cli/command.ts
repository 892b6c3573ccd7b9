/**
 * The declaration of a command: its help text, its flags, and the function that runs it.
 *
 * Only the help text describes flags; their declaration has names and types. `test/cli/help.test.ts` fails
 * when the two differ.
 *
 * @module
 */
import { type ArgsDef, type CommandDef, defineCommand, runCommand } from "citty";

/** A command as `run.ts` sees it, whatever the types of its flags. */
export interface Command {
  /** Printed for `--help` and after a usage mistake. Says `qf`, whatever name we were called by. */
  readonly help: string;
  readonly args: ArgsDef;
  /** Flags that may be given more than once. `parseRepeated` splits their values. */
  readonly repeatable: readonly string[];
  /** Runs the command with arguments checked by `strict-args.ts`. Resolves to the exit status. */
  dispatch(checkedArgs: readonly string[]): Promise<number>;
}

/**
 * Declares a command. `run` returns its exit status, or nothing for 0.
 *
 * A boolean with a `negativeDescription` is only written `--no-<name>`, which citty turns into false.
 */
export function command<const T extends ArgsDef>(
  help: string,
  definition: CommandDef<T> & { readonly args: T },
  options: { readonly repeatable?: readonly string[] } = {},
): Command {
  const declared = defineCommand(definition);
  return {
    help: help.replace(/^\n/, ""),
    args: definition.args,
    repeatable: options.repeatable ?? [],
    async dispatch(checkedArgs) {
      const { result } = await runCommand(declared, { rawArgs: [...checkedArgs] });
      return typeof result === "number" ? result : 0;
    },
  };
}
