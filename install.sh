#!/bin/sh
# Installs, upgrades or removes QuFabric (qf) on this machine. It is served by every management server:
#
#   curl -fsSL https://qf.example.com/install.sh | QF_SETUP_KEY=KEY sh -s -- --allow-server-ssh
#
# Everything is inside one function, which the last line calls: a download that was cut runs nothing.
# POSIX sh; it needs curl or wget, and ssh-keygen or openssl 3 for the signature of the release.

qf_install() {
  set -eu
  LC_ALL=C
  export LC_ALL
  umask 077

  # Filled in by the management server that serves this file, and by the release build.
  QF_URL=''
  QF_RELEASE_KEYS=''

  usage() {
    cat <<'USAGE'
Install, upgrade or remove QuFabric (qf) on this machine.

usage: curl -fsSL https://qf.example.com/install.sh | [QF_SETUP_KEY=KEY] sh -s -- [options] [flags]

options:
  --management-url URL  management server to install from and to join (default: the one that served this)
  --version V           install this version (default: the newest that the server has)
  --uninstall           stop the agent and remove everything that was installed, with its state
  --dry-run             say what would be done, and change nothing
  --no-signature        install without a signature of the publisher: for development builds, and for
                        machines with neither ssh-keygen nor openssl 3. It trusts the server entirely
  --allow-downgrade     install a version below the one that is here
  --help                show this

All other flags go to qf agent up, which runs at the end when there is a setup key (QF_SETUP_KEY or
--setup-key-file), when there are such flags, or when this machine has joined already.

Root installs to /usr/local, other users to ~/.local. QF_PREFIX names another folder.
USAGE
  }

  say() { printf 'qf: %s\n' "$1" >&2; }

  # stop MESSAGE [HINT]
  stop() {
    printf 'qf: error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'qf: hint: %s\n' "$2" >&2
    exit 1
  }

  mistake() {
    printf 'qf: error: %s\n' "$1" >&2
    usage >&2
    exit 2
  }

  has() { command -v "$1" >/dev/null 2>&1; }

  # ----- what this machine is

  # Sets targets: names of builds for this machine, the best first.
  find_targets() {
    machine=$(uname -m)
    case $machine in
      x86_64 | amd64) arch=x64 ;;
      aarch64 | arm64) arch=arm64 ;;
      *) stop "there is no build for $machine" "builds exist for x86-64 and arm64" ;;
    esac
    case $(uname -s) in
      Linux) find_linux_targets ;;
      Darwin)
        # A shell under Rosetta says x86_64.
        [ "$(sysctl -n hw.optional.arm64 2>/dev/null || true)" != 1 ] || arch=arm64
        targets=darwin-$arch
        ;;
      *) stop "there is no installer for $(uname -s)" "for Windows, see docs/install.md" ;;
    esac
  }

  find_linux_targets() {
    libc=
    if is_musl; then libc=-musl; fi
    if [ "$arch" = arm64 ]; then
      targets=linux-arm64$libc
    elif grep -q '^flags.* avx2' /proc/cpuinfo 2>/dev/null; then
      targets="linux-x64$libc linux-x64$libc-baseline"
    else
      targets="linux-x64$libc-baseline linux-x64$libc"
    fi
  }

  is_musl() {
    if has getconf && getconf GNU_LIBC_VERSION >/dev/null 2>&1; then return 1; fi
    for loader in /lib/ld-musl-*.so.1 /usr/lib/ld-musl-*.so.1; do
      [ ! -e "$loader" ] || return 0
    done
    return 1
  }

  # ----- downloading

  check_url() {
    if printf '%s' "$1" | grep -Eq '^https://[A-Za-z0-9.-]+(:[0-9]+)?$'; then
      protocol='=https'
    elif printf '%s' "$1" | grep -Eq '^https://\[[0-9A-Fa-f:]+\](:[0-9]+)?$'; then
      protocol='=https'
    elif printf '%s' "$1" | grep -Eq '^http://(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?$'; then
      protocol='=http,https'
    else
      stop "$1 is not the address of a management server" "as in https://qf.example.com"
    fi
  }

  # The wget of busybox checks no certificate: what it brings counts by the publisher's signature alone.
  check_wget() {
    if [ "$no_signature" = 0 ] || [ "$protocol" != '=https' ] || has curl || ! has wget; then return; fi
    if wget --version 2>/dev/null | grep -q 'GNU Wget'; then return; fi
    stop "this wget checks no certificate, and --no-signature leaves nothing to know the release by" \
      "install curl or GNU wget, or leave --no-signature out"
  }

  # fetch PATH FILE: false when it cannot be had.
  fetch() {
    if has curl; then
      curl --proto "$protocol" --tlsv1.2 -fsS --connect-timeout 20 --speed-limit 100 --speed-time 60 \
        -o "$2" "$QF_URL$1" 2>"$tmp/fetch.err"
    elif ! has wget; then
      stop "neither curl nor wget is installed" "install one of them, and run this again"
    elif wget --version 2>/dev/null | grep -q 'GNU Wget'; then
      secure=
      [ "$protocol" != '=https' ] || secure='--https-only --secure-protocol=TLSv1_2'
      # shellcheck disable=SC2086 # two options of our own, or none
      wget -nv $secure --max-redirect=0 --timeout=60 --tries=2 -O "$2" "$QF_URL$1" 2>"$tmp/fetch.err"
    else
      wget -q -O "$2" "$QF_URL$1" 2>"$tmp/fetch.err"
    fi
  }

  # As fetch, and again for some minutes while the server has too many downloads.
  fetch_in_turn() {
    # As curl, wget of GNU and wget of busybox say it.
    busy='error: 503|ERROR 503|HTTP/1\.[01] 503'
    for wait in 5 10 15 20 30 60 60 60 last; do
      if fetch "$1" "$2"; then return 0; fi
      if [ "$wait" = last ] || ! grep -Eq "$busy" "$tmp/fetch.err"; then return 1; fi
      say "$QF_URL is busy with other downloads; trying again in $wait s"
      sleep "$wait"
    done
  }

  # ----- the signed manifest

  sha256_of() {
    if has sha256sum; then
      sha256sum <"$1" | cut -d ' ' -f 1
    elif has shasum; then
      shasum -a 256 <"$1" | cut -d ' ' -f 1
    else
      openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
    fi
  }

  # Says it and goes on, or stops: nothing is installed that is not signed, unless --no-signature is given.
  check_signature() {
    if [ "$no_signature" = 1 ]; then
      say "note: --no-signature: the release is not checked against the publisher's key"
      return
    fi
    if [ -z "$QF_RELEASE_KEYS" ]; then
      stop "this server runs a development build, whose releases have no signature" \
        "give --no-signature if you trust it, or install from a server with a release"
    fi
    if ! fetch "/downloads/$asked/manifest.json.sig" "$tmp/manifest.json.sig"; then
      stop "the release is not signed" "it may have been tampered with; tell who runs $QF_URL"
    fi
    if has ssh-keygen && ssh-keygen -Y 2>&1 | grep -q 'requires an argument'; then
      verify_by_ssh_keygen && return
    elif has openssl && openssl version | grep -Eq '^OpenSSL ([3-9]|[1-9][0-9])\.'; then
      verify_by_openssl && return
    elif [ -x "$bin" ] && "$bin" upgrade --help 2>/dev/null | grep -q -- '--verify'; then
      "$bin" upgrade --verify "$tmp/manifest.json" >/dev/null 2>&1 && return
    else
      stop "nothing here can check the signature of the release" \
        "install openssh-client (ssh-keygen) or openssl 3, or give --no-signature"
    fi
    stop "the signature of the release is not by the publisher's key" \
      "it may have been tampered with; tell who runs $QF_URL"
  }

  verify_by_ssh_keygen() {
    printf '%s\n' "$QF_RELEASE_KEYS" |
      sed -n 's/^ssh-/qufabric namespaces="qufabric-release" ssh-/p' >"$tmp/signers"
    ssh-keygen -Y verify -f "$tmp/signers" -I qufabric -n qufabric-release -s "$tmp/manifest.json.sig" \
      <"$tmp/manifest.json" >/dev/null 2>&1
  }

  # An SSHSIG signature by an Ed25519 key has one layout; see PROTOCOL.sshsig of OpenSSH.
  verify_by_openssl() {
    sed '/^-----/d' "$tmp/manifest.json.sig" | tr -d '\r\n' | openssl base64 -d -A >"$tmp/sig" || return 1
    [ "$(wc -c <"$tmp/sig" | tr -d ' ')" = 186 ] || return 1
    {
      printf 'SSHSIG\000\000\000\020qufabric-release\000\000\000\000\000\000\000\006sha512\000\000\000\100'
      openssl dgst -sha512 -binary <"$tmp/manifest.json"
    } >"$tmp/signed"
    # Everything before the signature, but for the key, is as it has to be.
    {
      printf 'SSHSIG\000\000\000\001\000\000\000\063'
      dd if="$tmp/sig" bs=1 skip=14 count=51 2>/dev/null
      printf '\000\000\000\020qufabric-release\000\000\000\000\000\000\000\006sha512'
      printf '\000\000\000\123\000\000\000\013ssh-ed25519\000\000\000\100'
    } >"$tmp/head"
    dd if="$tmp/sig" bs=1 count=122 2>/dev/null | cmp -s - "$tmp/head" || return 1
    dd if="$tmp/sig" bs=1 skip=122 of="$tmp/raw" 2>/dev/null
    dd if="$tmp/sig" bs=1 skip=14 count=51 2>/dev/null | openssl base64 -A >"$tmp/key"
    while read -r type key _; do
      if [ "$type" != ssh-ed25519 ] || [ "$key" != "$(cat "$tmp/key")" ]; then continue; fi
      {
        echo '-----BEGIN PUBLIC KEY-----'
        {
          printf '\060\052\060\005\006\003\053\145\160\003\041\000'
          dd if="$tmp/sig" bs=1 skip=33 count=32 2>/dev/null
        } | openssl base64
        echo '-----END PUBLIC KEY-----'
      } >"$tmp/key.pem"
      openssl pkeyutl -verify -pubin -inkey "$tmp/key.pem" -rawin -in "$tmp/signed" -sigfile "$tmp/raw" \
        >/dev/null 2>&1 && return 0
    done <<KEYS
$QF_RELEASE_KEYS
KEYS
    return 1
  }

  # field NAME: a text of the manifest, which has one field in a line.
  field() { sed -n 's/^  "'"$1"'": "\([^"]*\)",*$/\1/p' "$tmp/manifest.json" | head -n 1; }

  # A version as a number that grows with it: 1.2.3-rc.4 is below 1.2.3.
  number() {
    part='(0|[1-9][0-9]{0,3})'
    if ! printf '%s' "$1" | grep -Eq "^$part\\.$part\\.$part(-rc\\.[1-9][0-9]{0,2})?\$"; then
      echo 0
      return
    fi
    core=${1%%-*}
    candidate=9999
    [ "$core" = "$1" ] || candidate=${1##*.}
    rest=${core#*.}
    printf '%d%04d%04d%04d\n' "${core%%.*}" "${rest%%.*}" "${rest#*.}" "$candidate"
  }

  # Sets version, target, size and digest. Stops where the manifest does not permit to install.
  read_manifest() {
    asked=${want:-latest}
    if ! fetch "/downloads/$asked/manifest.json" "$tmp/manifest.json"; then
      stop "$QF_URL has no release${want:+ $want} to install, or cannot be reached" \
        "$(head -n 1 "$tmp/fetch.err" 2>/dev/null || true)"
    fi
    check_signature
    [ "$(field product)" = qufabric ] || stop "$QF_URL does not offer a release of QuFabric"
    version=$(field version)
    [ "$(number "$version")" != 0 ] || stop "the release has no version that this installer knows"
    if [ -n "$want" ] && [ "$version" != "$want" ]; then
      stop "the server offers $version under the name $want" "it may have been tampered with"
    fi
    expiry=$(field expiry | tr -cd 0-9)
    if [ ${#expiry} != 14 ] || [ "$(date -u +%Y%m%d%H%M%S)" -ge "$expiry" ]; then
      stop "release $version expired, or this machine's clock is wrong" "upgrade the server, or set the clock"
    fi
    if grep '^  "withdrawn": ' "$tmp/manifest.json" | grep -qF "\"$version\""; then
      stop "release $version was withdrawn"
    fi
    for target in $targets; do
      fields='"name": "[a-z0-9._-]*", "size": \([0-9]*\), "sha256": "\([0-9a-f]*\)"'
      entry=$(sed -n "s/^    \"$target\": {$fields},*\$/\1 \2/p" "$tmp/manifest.json")
      [ -z "$entry" ] || break
    done
    [ -n "$entry" ] || stop "release $version has no build for this machine ($targets)" \
      "put it into the server's --releases folder"
    size=${entry% *}
    digest=${entry#* }
  }

  # Never below what is here, and never from a version that the release cannot take over from.
  check_installed() {
    installed=
    [ ! -x "$bin" ] || installed=$("$bin" version 2>/dev/null | sed -n 's/^qf \([0-9][^ ]*\) .*/\1/p') || true
    [ -n "$installed" ] || return 0
    if [ "$(number "$version")" -lt "$(number "$installed")" ] && [ "$allow_downgrade" != 1 ]; then
      stop "version $installed is installed, which is newer than $version" "give --allow-downgrade to go back"
    fi
    lowest=$(field lowestFrom)
    if [ "$(number "$installed")" -lt "$(number "$lowest")" ]; then
      stop "$version cannot take over from $installed" "install $lowest first, with --version $lowest"
    fi
  }

  # ----- installing

  choose_prefix() {
    if [ -n "${QF_PREFIX:-}" ]; then
      prefix=$QF_PREFIX
    elif [ "$(id -u)" = 0 ]; then
      prefix=/usr/local
    else
      prefix=${HOME:?}/.local
    fi
    case $prefix in
      /*) ;;
      *) stop "QF_PREFIX is not an absolute path" ;;
    esac
    bin=$prefix/bin/qf
    files="$prefix/bin/qufabric $prefix/share/bash-completion/completions/qf
      $prefix/share/bash-completion/completions/qufabric $prefix/share/zsh/site-functions/_qf
      $prefix/share/fish/vendor_completions.d/qf.fish
      $prefix/share/fish/vendor_completions.d/qufabric.fish $prefix/share/man/man1/qf.1
      $prefix/share/man/man1/qufabric.1 $prefix/share/qufabric/manifest.json
      $prefix/share/qufabric/manifest.json.sig"
  }

  check_writable() {
    folder=$1
    while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
    # A read-only file system refuses root as well, and only a trial tells.
    if [ ! -d "$folder" ] || ! probe=$(mktemp "$folder/.qf-probe.XXXXXX" 2>/dev/null); then
      stop "$folder cannot be written to" "QF_PREFIX=/another/folder installs somewhere else"
    fi
    rm -f "$probe"
  }

  # The executable itself: beside its place, checked, tried, and then renamed into it.
  install_executable() {
    if [ -f "$bin" ] && [ "$(sha256_of "$bin")" = "$digest" ]; then
      say "qf $version is installed already"
      return
    fi
    (umask 022 && mkdir -p "$prefix/bin")
    new=$(mktemp "$prefix/bin/.qf.XXXXXX")
    packed=gz unpack='gzip -dc'
    if has zstd; then packed=zst unpack='zstd -dcq'; fi
    fetch_in_turn "/downloads/$version/$target.$packed" "$tmp/packed" ||
      stop "the download of $target was cut or refused" "run this again; nothing was changed"
    # shellcheck disable=SC2086 # a command with its options
    $unpack <"$tmp/packed" >"$new" 2>/dev/null || stop "the download of $target is damaged" \
      "run this again; nothing was changed"
    if [ "$(wc -c <"$new" | tr -d ' ')" != "$size" ] || [ "$(sha256_of "$new")" != "$digest" ]; then
      stop "the download of $target is not what the release says" \
        "run this again; if it stays so, tell who runs $QF_URL"
    fi
    chmod 755 "$new"
    if ! "$new" version >/dev/null 2>"$tmp/run.err"; then
      head -n 3 "$tmp/run.err" >&2
      stop "the executable ($target) does not run on this machine" \
        "on Alpine it needs: apk add libstdc++ libgcc"
    fi
    mv -f "$new" "$bin"
    new=
    if has restorecon; then restorecon "$bin" 2>/dev/null || true; fi
    say "installed qf $version to $bin"
  }

  # put FILE COMMAND...: writes what the command prints; what a shell or man(1) would miss is no failure.
  put() {
    file=$1
    shift
    if (umask 022 && mkdir -p "$(dirname "$file")" && "$@" >"$file.new") 2>/dev/null; then
      mv -f "$file.new" "$file"
    else
      rm -f "$file.new"
    fi
  }

  install_files() {
    ln -sf qf "$prefix/bin/qufabric"
    put "$prefix/share/bash-completion/completions/qf" "$bin" completion bash
    put "$prefix/share/zsh/site-functions/_qf" "$bin" completion zsh
    put "$prefix/share/fish/vendor_completions.d/qf.fish" "$bin" completion fish
    put "$prefix/share/man/man1/qf.1" "$bin" completion man
    ln -sf qf "$prefix/share/bash-completion/completions/qufabric" 2>/dev/null || true
    ln -sf qf.fish "$prefix/share/fish/vendor_completions.d/qufabric.fish" 2>/dev/null || true
    ln -sf qf.1 "$prefix/share/man/man1/qufabric.1" 2>/dev/null || true
    # With them a server that is installed like this can show the signature of its own executable.
    put "$prefix/share/qufabric/manifest.json" cat "$tmp/manifest.json"
    rm -f "$prefix/share/qufabric/manifest.json.sig"
    [ ! -s "$tmp/manifest.json.sig" ] ||
      put "$prefix/share/qufabric/manifest.json.sig" cat "$tmp/manifest.json.sig"
    case :$PATH: in
      *:"$prefix/bin":*) qf=qf ;;
      *)
        qf=$bin
        say "note: $prefix/bin is not in your PATH; to type qf alone, add to your shell's start file:"
        say "  export PATH=\"$prefix/bin:\$PATH\""
        ;;
    esac
  }

  # ----- removing

  uninstall() {
    # Where qf keeps what belongs to the device of whoever runs this (QF_CONFIG_DIR is theirs to remove).
    own=${XDG_CONFIG_HOME:-${HOME:-/nonexistent}/.config}/qufabric
    if [ "$dry_run" = 1 ]; then
      say "would stop the agent, and remove its state, $bin, its link, completions and man page"
      [ ! -e "$own/config.json" ] || say "would remove your device key and logins in $own"
      return
    fi
    if [ -x "$bin" ]; then
      if "$bin" agent down --help 2>/dev/null | grep -q -- '--uninstall'; then
        "$bin" agent down --uninstall "$@" >/dev/null || stop "the agent could not be removed" "see above"
      else
        "$bin" agent down "$@" >/dev/null || stop "the agent could not be stopped" "see above"
      fi
      "$bin" ssh-config remove >/dev/null 2>&1 || true
    fi
    rm -f "$bin"
    # What an upgrade left that was killed.
    rm -f "$prefix"/bin/.qf-*.new "$prefix"/bin/.qf-*.previous "$prefix"/bin/.qf.??????
    for file in $files; do rm -f "$file"; done
    # Folders that are empty now, the inner ones first.
    for folder in qufabric bash-completion/completions bash-completion zsh/site-functions zsh \
      fish/vendor_completions.d fish man/man1; do
      rmdir "$prefix/share/$folder" 2>/dev/null || true
    done
    [ ! -e "$own/config.json" ] || rm -rf "$own" "${XDG_RUNTIME_DIR:-/nonexistent}/qufabric"
    say "removed qf from $prefix"
    if [ -d /var/lib/qufabric-management ]; then
      say "note: the data of the management server stays in /var/lib/qufabric-management"
    fi
  }

  # ----- from here on it is done

  want='' do_uninstall=0 dry_run=0 no_signature=0 allow_downgrade=0
  left=$#
  while [ "$left" -gt 0 ]; do
    flag=$1
    shift
    left=$((left - 1))
    case $flag in
      --version | --management-url)
        [ "$left" -gt 0 ] || mistake "$flag needs a value"
        value=$1
        shift
        left=$((left - 1))
        if [ "$flag" = --version ]; then want=$value; else QF_URL=${value%/}; fi
        ;;
      --version=*) want=${flag#*=} ;;
      --management-url=*) QF_URL=${flag#*=} QF_URL=${QF_URL%/} ;;
      --uninstall) do_uninstall=1 ;;
      --dry-run) dry_run=1 ;;
      --no-signature) no_signature=1 ;;
      --allow-downgrade) allow_downgrade=1 ;;
      --help | -h)
        usage
        exit 0
        ;;
      --setup-key | --setup-key=*)
        stop "a setup key does not belong on a command line, where others can read it" \
          "give it as QF_SETUP_KEY=KEY before sh, or as --setup-key-file FILE"
        ;;
      *) set -- "$@" "$flag" ;;
    esac
  done
  if [ -n "$want" ] && [ "$(number "$want")" = 0 ]; then mistake "$want is not a version, such as 1.2.3"; fi

  # No program but qf gets to see the key.
  setup_key=${QF_SETUP_KEY:-}
  unset QF_SETUP_KEY
  choose_prefix
  if [ "$do_uninstall" = 1 ]; then
    uninstall "$@"
    return
  fi
  [ -n "$QF_URL" ] || mistake "--management-url is missing: which server is this from?"
  check_url "$QF_URL"
  check_wget
  if ! has sha256sum && ! has shasum && ! has openssl; then
    stop "there is no sha256sum on this machine" "install coreutils, and run this again"
  fi
  new=''
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/qf-install.XXXXXX")
  trap 'rm -rf "$tmp" ${new:+"$new"}' EXIT
  trap 'exit 130' INT HUP TERM
  find_targets
  read_manifest
  check_installed
  will_join=0
  if [ $# -gt 0 ] || [ -n "$setup_key${QF_SETUP_KEY_FILE:-}" ]; then will_join=1; fi
  if [ "$dry_run" = 1 ]; then
    say "would install qf $version ($target) to $bin${installed:+, in place of $installed}"
    [ "$will_join" = 0 ] || say "would run qf agent up --management-url $QF_URL $*"
    return
  fi
  check_writable "$prefix/bin"
  install_executable
  install_files
  if [ "$will_join" = 0 ] && ! "$bin" agent status >/dev/null 2>&1; then
    say "to sign in: $qf login --management-url $QF_URL"
    if [ "$(id -u)" = 0 ]; then
      say "to let people log in here: $qf agent up --management-url $QF_URL --allow-server-ssh"
    else
      say "to let people log in here, run this line as root, with: sh -s -- --allow-server-ssh"
    fi
    return
  fi
  if [ -n "$setup_key" ]; then
    QF_SETUP_KEY=$setup_key "$bin" agent up --management-url "$QF_URL" "$@" </dev/null
  else
    "$bin" agent up --management-url "$QF_URL" "$@" </dev/null
  fi
}

{ qf_install "$@"; }
