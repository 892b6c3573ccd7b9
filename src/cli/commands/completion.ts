import { VERSION } from "../../base/build-info.ts";
import { QfError } from "../../base/errors.ts";
import { command } from "../command.ts";
import { NOUNS, SHORT, SINGLE } from "../commands.ts";
import { manPage } from "../man-page.ts";
import { print } from "../output.ts";

export const completion = command(
  `
Print a shell completion script for the commands of qf, or its manual page.

usage: qf completion SHELL|man

SHELL is bash, zsh or fish. man prints qf(1), which holds the help of every command.

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
      const script = Object.hasOwn(SCRIPTS, args.shell) ? SCRIPTS[args.shell] : undefined;
      if (script === undefined) {
        throw new QfError("ERR_USAGE", `there is no completion for ${JSON.stringify(args.shell)}`, {
          hint: "bash, zsh and fish have one; man is the manual page",
        });
      }
      await print(script());
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

const SCRIPTS: Readonly<Record<string, () => string>> = { bash, zsh, fish };

function topWords(): string[] {
  return [...Object.keys(NOUNS), "ssh", ...Object.keys(SINGLE), ...Object.keys(SHORT)];
}

function verbsOf(): [noun: string, verbs: string][] {
  return Object.entries(NOUNS).map(([noun, { verbs }]) => [noun, Object.keys(verbs).join(" ")]);
}

function bash(): string {
  const cases = verbsOf().map(
    ([noun, verbs]) => `    ${noun}) COMPREPLY=($(compgen -W "${verbs}" -- "$word")) ;;\n`,
  );
  return `# bash completion for qf
_qf() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${topWords().join(" ")}" -- "$word"))
    return
  fi
  [ "$COMP_CWORD" -eq 2 ] || return
  case \${COMP_WORDS[1]} in
${cases.join("")}  esac
}
complete -o default -F _qf qf qufabric
`;
}

function zsh(): string {
  const cases = verbsOf().map(([noun, verbs]) => `    ${noun}) compadd ${verbs} ;;\n`);
  return `#compdef qf qufabric
_qf() {
  if (( CURRENT == 2 )); then
    compadd ${topWords().join(" ")}
    return
  fi
  (( CURRENT == 3 )) || { _files; return }
  case $words[2] in
${cases.join("")}    *) _files ;;
  esac
}
compdef _qf qf qufabric
`;
}

function fish(): string {
  const top = `complete -c qf -n __fish_use_subcommand -f -a "${topWords().join(" ")}"\n`;
  const nested = verbsOf().map(
    ([noun, verbs]) =>
      `complete -c qf -n "__fish_seen_subcommand_from ${noun}; ` +
      `and not __fish_seen_subcommand_from ${verbs}" ` +
      `-f -a "${verbs}"\n`,
  );
  return `# fish completion for qf\n${top}${nested.join("")}`;
}
