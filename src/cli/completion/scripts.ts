/**
 * Completion scripts for shells. Each asks the `qf` being typed for completions, so that a script once
 * installed knows the commands of every later version.
 *
 * @module
 */

const BASH = `# bash completion for qf
_qf() {
  local qf line mode=
  qf=$(type -P -- "$1") || qf=qf
  COMPREPLY=()
  while IFS= read -r line; do
    if [ -z "$mode" ]; then mode=$line; else COMPREPLY+=("$line"); fi
  done < <("$qf" __complete bash "$COMP_WORDBREAKS" "\${COMP_LINE:0:$COMP_POINT}" 2>/dev/null)
  case $mode in
    files) compopt -o default 2>/dev/null ;;
    nospace) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F _qf qf qufabric
`;

const ZSH = `#compdef qf qufabric
_qf() {
  local mode line tab=$'\\t'
  local -a reply names shown options
  reply=("\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}")
  reply=("\${(@f)$("\${(Q)words[1]}" __complete zsh "\${(@)reply}" 2>/dev/null)}")
  mode=$reply[1]
  for line in "\${(@)reply[2,-1]}"; do
    names+=("\${line%%$tab*}")
    if [[ $line == *$tab* ]]; then
      shown+=("\${line%%$tab*}  -- \${line#*$tab}")
      options=(-l)
    else
      shown+=("$line")
    fi
  done
  [[ $mode == nospace ]] && options+=(-S '')
  (( $#names )) && compadd "\${(@)options}" -d shown -a names
  [[ $mode == files ]] && _files
}
if [[ $funcstack[1] == _qf ]]; then _qf "$@"; else compdef _qf qf qufabric; fi
`;

const FISH = `# fish completion for qf
function __qf_complete
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  set -l reply ($words[1] __complete fish $words[2..-1] "$typed" 2>/dev/null)
  set -l mode $reply[1]
  set -e reply[1]
  set -q reply[1]; and printf '%s\\n' $reply
  test "$mode" = files; and __fish_complete_path "$typed"
end
complete -c qf -f -a '(__qf_complete)'
complete -c qufabric -f -a '(__qf_complete)'
`;

/** Scripts by the name of the shell. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
