/**
 * The declaration of a command: its help text, its flags, and the function that runs it.
 *
 * Flags are described in the help text only; what parses them has names and types. `test/cli/help.test.ts`
 * fails when the two differ.
 *
 * @module
 */
import { type ArgsDef, type CommandDef, defineCommand, runCommand } from "citty";

/** What `run.ts` needs of a command, whatever the type of its flags. */
export interface Command {
  /** Printed as it is for `--help` and after a usage mistake. Says `qf`, whatever we were called by. */
  readonly help: string;
  readonly args: ArgsDef;
  /** Flags that may be given more than once; `parseRepeated` takes their values apart. */
  readonly repeatable: readonly string[];
  /** Runs it with arguments that `strict-args.ts` has checked; resolves to the exit status. */
  dispatch(checkedArgs: readonly string[]): Promise<number>;
}

/**
 * Declares a command. `run` returns its exit status, or nothing for 0.
 *
 * A boolean with a `negativeDescription` is written `--no-<name>` only: citty turns it into false.
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
