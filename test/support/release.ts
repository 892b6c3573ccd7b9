/**
 * Release folders for tests: real manifests and signatures around an executable that is a few lines of shell.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "bun";
import { systemClock } from "../../src/base/clock.ts";
import {
  instantText,
  MANIFEST_FILE,
  manifestText,
  RELEASE_NAMESPACE,
  type ReleaseManifest,
  SIGNATURE_FILE,
  TARGETS,
  type Target,
} from "../../src/wire/release.ts";

export interface ReleaseKey {
  /** Private key file, for ssh-keygen. */
  readonly file: string;
  /** As OpenSSH writes it. */
  readonly publicKey: string;
}

/** A new key pair in `folder`. */
export function aReleaseKey(folder: string, name = "release-key"): ReleaseKey {
  const file = join(folder, name);
  mustRun(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  return { file, publicKey: readFileSync(`${file}.pub`, "utf8").trim() };
}

/** The armoured signature of `text`, as `make release` makes it. */
export function signatureOf(text: string, key: ReleaseKey, namespace: string = RELEASE_NAMESPACE): string {
  const command = ["ssh-keygen", "-q", "-Y", "sign", "-f", key.file, "-n", namespace];
  return mustRun(command, text);
}

function mustRun(command: string[], stdin = ""): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdin: new TextEncoder().encode(stdin) });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** A manifest of `executable` for every target, in force now. */
export function aManifest(
  version: string,
  executable: Uint8Array,
  change: Partial<ReleaseManifest> = {},
): ReleaseManifest {
  const nowMs = systemClock.nowMs();
  const sha256 = createHash("sha256").update(executable).digest("hex");
  const file = (target: string) => ({ name: `qf-${target}`, size: executable.length, sha256 });
  return {
    product: "qufabric",
    version,
    date: instantText(nowMs),
    expiry: instantText(nowMs + 86_400_000),
    lowestFrom: "0.0.0",
    withdrawn: [],
    targets: Object.fromEntries(TARGETS.map((target) => [target, file(target)])),
    ...change,
  };
}

/** What answers as `qf` in a stand-in release. It notes each call of `qf agent` in `log` beside `bin`. */
export function standIn(version: string): Uint8Array {
  return new TextEncoder().encode(`#!/bin/sh
case "$1 $2" in
  "version ") echo "qf ${version} (0123456789ab)" ;;
  "agent status") exit 1 ;;
  "agent down"*) echo "--uninstall" ;;
esac
[ "$1" != completion ] || echo "for $2"
[ "$1" != agent ] || echo "$* key=\${QF_SETUP_KEY-}" >> "$(dirname "$0")/../log"
`);
}

/** Writes a release folder of \`version\`. */
export function writeRelease(options: {
  readonly folder: string;
  readonly version: string;
  readonly key: ReleaseKey;
  readonly executable?: Uint8Array;
  readonly change?: Partial<ReleaseManifest>;
  /** Default: every target. */
  readonly targets?: readonly Target[];
}): void {
  const { folder, version, key, executable = standIn(version), targets = TARGETS } = options;
  const path = join(folder, version);
  mkdirSync(path, { recursive: true });
  const manifest = aManifest(version, executable, options.change);
  const offered = Object.entries(manifest.targets).filter(([target]) => targets.includes(target as Target));
  const text = manifestText({ ...manifest, targets: Object.fromEntries(offered) });
  writeFileSync(join(path, MANIFEST_FILE), text);
  writeFileSync(join(path, SIGNATURE_FILE), signatureOf(text, key));
  const packed = {
    "": executable,
    ".zst": zstdCompressSync(executable),
    ".gz": gzipSync(Buffer.from(executable)),
  };
  for (const target of targets) {
    for (const [ending, bytes] of Object.entries(packed)) {
      writeFileSync(join(path, `qf-${target}${ending}`), bytes);
    }
  }
}
