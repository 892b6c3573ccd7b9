import { VERSION } from "../../base/build-info.ts";
import { QfError } from "../../base/errors.ts";
import { command } from "../command.ts";
import { COMPLETION_SCRIPTS } from "../completion/scripts.ts";
import { manPage } from "../man-page.ts";
import { print } from "../output.ts";

export const completion = command(
  `
Print a shell completion script, or the manual page.

usage: qf completion SHELL|man

SHELL is bash, zsh or fish. The script completes commands, flags and their values, and the names of peers,
users, groups and policies that your login shows; it never asks you to sign in. man prints qf(1), which holds
the help of every command. Packages and install.sh install all of them.

options:
  none

examples:
  qf completion bash > /etc/bash_completion.d/qf
  qf completion fish > ~/.config/fish/completions/qf.fish
`,
  {
    args: {
      shell: { type: "positional", required: true },
    },
    async run({ args }) {
      if (args.shell === "man") return void (await print(await manual()));
      const script = Object.hasOwn(COMPLETION_SCRIPTS, args.shell)
        ? COMPLETION_SCRIPTS[args.shell]
        : undefined;
      if (script === undefined) {
        throw new QfError("ERR_USAGE", `there is no completion for ${JSON.stringify(args.shell)}`, {
          hint: "bash, zsh and fish have one; man is the manual page",
        });
      }
      await print(script);
    },
  },
);

async function manual(): Promise<string> {
  const [{ SSH_HELP }, { PROXY_HELP }] = await Promise.all([
    import("../../ssh/help.ts"),
    import("../../proxy/help.ts"),
  ]);
  return await manPage(VERSION, [
    { words: "ssh", help: SSH_HELP },
    { words: "proxy", help: PROXY_HELP },
  ]);
}
