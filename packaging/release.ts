/**
 * `make release`: every target, packed, with manifest, checksums, signatures, bill of materials and packages.
 *
 * Signed where RELEASE_KEY names a private Ed25519 key of OpenSSH, whose public half (`.pub`) is built in, with
 * that of NEXT_RELEASE_KEY (a public key file). Without one it is a development release, which nobody trusts.
 * `bun packaging/release.ts TARGET…` builds these targets only.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync, zstdCompressSync } from "bun";
import { version } from "../package.json";
import {
  instantText,
  MANIFEST_FILE,
  manifestText,
  RELEASE_NAMESPACE,
  type ReleaseFile,
  ReleaseManifest,
  SIGNATURE_FILE,
  type Target,
} from "../src/wire/release.ts";
import { buildDeb, buildRpm } from "./packages.ts";
import policy from "./release.json";
import { run, runtimePath } from "./runtime.ts";
import { sbomText } from "./sbom.ts";
import { LEFT_OUT, TARGET_BUILDS, type TargetBuild } from "./targets.ts";

const ROOT = resolve(import.meta.dir, "..");
const RELEASE = join(ROOT, "dist/release", version);
const WORK = join(ROOT, "dist/release-work");
const DAY_MS = 86_400_000;
const ZSTD_LEVEL = 12;

const epochSeconds = Number(
  process.env.SOURCE_DATE_EPOCH ?? run(["git", "log", "-1", "--format=%ct"]).trim(),
);
const { RELEASE_KEY: keyFile, NEXT_RELEASE_KEY: nextKeyFile } = process.env;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Public keys that the builds trust; none in a development release. */
function releaseKeys(): string[] {
  const files = [keyFile === undefined ? undefined : `${keyFile}.pub`, nextKeyFile];
  const lines = files.flatMap((file) => (file === undefined ? [] : readFileSync(file, "utf8").split("\n")));
  const keys = lines.filter(Boolean).map((line) => line.split(" ").slice(0, 2).join(" "));
  const wrong = keys.find((key) => !/^ssh-ed25519 [A-Za-z0-9+/=]+$/.test(key));
  if (wrong !== undefined) throw new Error(`not an Ed25519 key: ${wrong}`);
  return keys;
}

function buildTarget(target: Target, build: TargetBuild): ReleaseFile {
  const outfile = join(RELEASE, build.name);
  run([process.execPath, "build.ts"], {
    env: {
      QF_OUTFILE: outfile,
      QF_TARGET: target,
      QF_BUN_TARGET: build.bun,
      QF_RUNTIME: runtimePath(build),
      CC: build.cc ?? "",
      QF_DEVELOPMENT_PAGES: "",
      QF_RELEASE_KEYS: releaseKeys().join("\n"),
    },
  });
  rmSync(`${outfile}-session-helper`, { force: true });
  const bytes = readFileSync(outfile);
  writeFileSync(`${outfile}.zst`, zstdCompressSync(bytes, { level: ZSTD_LEVEL }));
  writeFileSync(`${outfile}.gz`, gzipSync(bytes, { level: 6 }));
  return { name: build.name, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

function sign(name: string): void {
  if (keyFile === undefined) return;
  const text = readFileSync(join(RELEASE, name), "utf8");
  const command = ["ssh-keygen", "-q", "-Y", "sign", "-f", keyFile, "-n", RELEASE_NAMESPACE];
  writeFileSync(join(RELEASE, `${name}.sig`), run(command, { stdin: text }));
}

function writeManifest(targets: Partial<Record<Target, ReleaseFile>>): void {
  const manifest = ReleaseManifest.parse({
    product: "qufabric",
    version,
    date: instantText(epochSeconds * 1000),
    expiry: instantText(epochSeconds * 1000 + policy.expiryDays * DAY_MS),
    lowestFrom: policy.lowestFrom,
    withdrawn: policy.withdrawn,
    targets,
  });
  writeFileSync(join(RELEASE, MANIFEST_FILE), manifestText(manifest));
  sign(MANIFEST_FILE);
}

/** install.sh with the keys, for who installs by the publisher's word alone. */
function writeInstallScript(): void {
  const script = readFileSync(join(ROOT, "install.sh"), "utf8");
  const keys = `  QF_RELEASE_KEYS='${releaseKeys().join("\n")}'\n`;
  writeFileSync(
    join(RELEASE, "install.sh"),
    script.replace("  QF_RELEASE_KEYS=''\n", () => keys),
    { mode: 0o755 },
  );
}

function writePackages(targets: Partial<Record<Target, ReleaseFile>>): void {
  const native = join(
    RELEASE,
    TARGET_BUILDS[process.arch === "arm64" ? "linux-arm64" : "linux-x64-baseline"]?.name ?? "",
  );
  const packages = [
    { target: "linux-x64-baseline", arch: { deb: "amd64", rpm: "x86_64" } },
    { target: "linux-arm64", arch: { deb: "arm64", rpm: "aarch64" } },
  ] as const;
  for (const { target, arch } of packages) {
    const build = targets[target]?.name;
    if (build === undefined) continue;
    const input = { release: RELEASE, version, build, native, work: WORK, epochSeconds };
    say(`  ${buildDeb(input, arch)}, ${buildRpm(input, arch)}`);
  }
}

/** SHA256SUMS of everything in the folder, and its signature. */
function writeSums(): void {
  const names = readdirSync(RELEASE)
    .filter((name) => !name.startsWith("SHA256SUMS"))
    .sort();
  const lines = names.map((name) => {
    const digest = createHash("sha256")
      .update(readFileSync(join(RELEASE, name)))
      .digest("hex");
    return `${digest}  ${name}\n`;
  });
  writeFileSync(join(RELEASE, "SHA256SUMS"), lines.join(""));
  sign("SHA256SUMS");
}

process.umask(0o022);
const chosen = process.argv.slice(2);
rmSync(RELEASE, { recursive: true, force: true });
mkdirSync(RELEASE, { recursive: true });
const targets: Partial<Record<Target, ReleaseFile>> = {};
for (const [target, build] of Object.entries(TARGET_BUILDS) as [Target, TargetBuild][]) {
  if (chosen.length > 0 && !chosen.includes(target)) continue;
  targets[target] = buildTarget(target, build);
  say(`  ${target}: ${build.name}`);
}
for (const [target, why] of Object.entries(LEFT_OUT)) say(`  ${target}: left out: ${why}`);
writeManifest(targets);
writeFileSync(join(RELEASE, "sbom.cdx.json"), sbomText(version, instantText(epochSeconds * 1000)));
writeInstallScript();
writePackages(targets);
writeSums();
rmSync(WORK, { recursive: true, force: true });
say(
  `${RELEASE}${keyFile === undefined ? ", unsigned: set RELEASE_KEY to sign it" : `, signed as ${SIGNATURE_FILE}`}`,
);
