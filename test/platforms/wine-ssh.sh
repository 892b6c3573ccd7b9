#!/bin/sh
# Stands in for OpenSSH for Windows in Wine: Debian's ssh, given the same configuration with Wine's names for
# paths, and with a ProxyCommand that Wine starts. The words and their quoting stay as they are.
drive="$WINEPREFIX/drive_c"
copies=$(mktemp -d)
trap 'rm -rf "$copies"' EXIT

unix_path() {
  printf '%s' "$1" | sed -E "s#^[Cc]:[\\\\/]#$drive/#; s#\\\\#/#g"
}

# Writes what ssh shall read in place of the file $1, and prints its path. $2 is its number.
translated() {
  copy="$copies/$2"
  sed -E \
    -e "s#^( *)ProxyCommand #\1ProxyCommand wine $drive/pipes.exe #" \
    -e "/^ *(IdentityFile|UserKnownHostsFile|Include) /s#\"?[Cc]:/#\"$drive/#; s#\"\"#\"#" \
    -e "/^ *Include /s#([^\"])\$#\1\"#" "$1" >"$copy"
  printf '%s' "$copy"
}

config=none
take=0
for word; do
  shift
  if [ "$take" = 1 ]; then
    take=0
    if [ "$word" != none ]; then
      config=$(translated "$(unix_path "$word")" 0)
      included=$(sed -n -E 's#^Include "?([^"]*)"?$#\1#p' "$config" | head -n 1)
      if [ -n "$included" ] && [ -e "$included" ]; then
        inner=$(translated "$included" 1)
        sed -i -E "s#^Include .*#Include $inner#" "$config"
      fi
      word=$config
    fi
  fi
  [ "$word" = -F ] && take=1
  set -- "$@" "$word"
done
if [ -z "${WINE_SSH_OUT-}" ]; then
  /usr/bin/ssh "$@"
  exit
fi
/usr/bin/ssh "$@" >"$WINE_SSH_OUT.out" 2>"$WINE_SSH_OUT.err" </dev/null
echo "$?" >"$WINE_SSH_OUT.new"
mv "$WINE_SSH_OUT.new" "$WINE_SSH_OUT.status"
