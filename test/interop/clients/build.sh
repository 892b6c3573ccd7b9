#!/usr/bin/env bash
# Builds the client programs of compiled languages: `build.sh FOLDER [libssh]`. Without a second word
# it builds all for which this machine has tools, and says which it passes over.
set -u
into=$(mkdir -p "$1" && cd "$1" && pwd)
only=${2:-}
cd "$(dirname "$0")" || exit 1

# wants NAME COMMAND: whether NAME is asked for, and COMMAND is there.
wants() {
  [ -z "$only" ] || [ "$only" = "$1" ] || return 1
  command -v "$2" >/dev/null && return 0
  echo "no $1: there is no $2" >&2
  return 1
}

build_java() {
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$into/java/lib" -f java/pom.xml &&
    javac -d "$into/java/classes" -cp "$into/java/lib/*" java/*.java
}

build_russh() {
  cargo build -q --release --locked --manifest-path russh/Cargo.toml --target-dir "$into/russh" &&
    cp "$into/russh/release/russh-client" "$into/russh-client"
}

failed=0
if wants libssh cc; then cc -O1 -Wall -o "$into/libssh-client" libssh-client.c -lssh || failed=1; fi
if wants go go; then (cd go && go build -o "$into/go-client" .) || failed=1; fi
if wants java javac && wants java mvn; then build_java || failed=1; fi
if wants russh cargo; then build_russh || failed=1; fi
exit $failed
