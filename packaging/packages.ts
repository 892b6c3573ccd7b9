/**
 * `.deb` and `.rpm` packages around a build. They install files and start nothing: `qf agent up` makes the
 * service. An upgrade restarts an agent that runs as a service; removal stops it.
 *
 * @module
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "bun";
import { run } from "./runtime.ts";

const ROOT = resolve(import.meta.dir, "..");
const SUMMARY = "Identity-aware SSH for private networks";
const RESTART = "if [ -d /run/systemd/system ]; then systemctl try-restart qufabric.service || true; fi";
const STOP =
  "if [ -x /usr/bin/qf ]; then /usr/bin/qf agent down >/dev/null 2>&1 || true; " +
  "/usr/bin/qf ssh-config remove >/dev/null 2>&1 || true; fi";
/** `qf agent up` wrote it, and its program is gone. */
const FORGET = [
  "rm -f /etc/systemd/system/qufabric.service",
  "if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi",
].join("; ");

export interface PackageInput {
  /** Folder of the release: builds, manifest, signature. */
  readonly release: string;
  readonly version: string;
  /** Name of the build in it. */
  readonly build: string;
  /** A build that runs on this machine: it prints completions and the manual page. */
  readonly native: string;
  readonly work: string;
  readonly epochSeconds: number;
}

/** Debian's and Red Hat's names of the processor. */
export interface PackageArch {
  readonly deb: string;
  readonly rpm: string;
}

/** Puts all files of a package below `root`, as they lie in a system. */
function layOut(root: string, { release, build, native, version }: PackageInput): void {
  rmSync(root, { recursive: true, force: true });
  const put = (path: string, bytes: string | Uint8Array): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes, { mode: 0o644 });
  };
  const printed = (what: string): string => run([native, "completion", what]);
  mkdirSync(join(root, "usr/bin"), { recursive: true });
  copyFileSync(join(release, build), join(root, "usr/bin/qf"));
  chmodSync(join(root, "usr/bin/qf"), 0o755);
  symlinkSync("qf", join(root, "usr/bin/qufabric"));
  put("usr/share/man/man1/qf.1.gz", gzipSync(Buffer.from(printed("man"))));
  symlinkSync("qf.1.gz", join(root, "usr/share/man/man1/qufabric.1.gz"));
  put("usr/share/bash-completion/completions/qf", printed("bash"));
  symlinkSync("qf", join(root, "usr/share/bash-completion/completions/qufabric"));
  // Red Hat's folder, and Debian's.
  put("usr/share/zsh/site-functions/_qf", printed("zsh"));
  put("usr/share/zsh/vendor-completions/_qf", printed("zsh"));
  put("usr/share/fish/vendor_completions.d/qf.fish", printed("fish"));
  symlinkSync("qf.fish", join(root, "usr/share/fish/vendor_completions.d/qufabric.fish"));
  for (const name of readdirSync(release).filter((one) => /^manifest\.json(\.sig)?$/.test(one))) {
    mkdirSync(join(root, "usr/share/qufabric"), { recursive: true });
    copyFileSync(join(release, name), join(root, "usr/share/qufabric", name));
  }
  put("usr/share/doc/qufabric/README", `QuFabric ${version}: ${SUMMARY}.\nqf --help, and qf(1).\n`);
  mkdirSync(join(root, "usr/share/doc/qufabric"), { recursive: true });
  copyFileSync(join(ROOT, "LICENSE"), join(root, "usr/share/doc/qufabric/copyright"));
}

/** Writes the `.deb` into the release folder; its name. */
export function buildDeb(input: PackageInput, arch: PackageArch): string {
  const { work, version, epochSeconds } = input;
  const root = join(work, `deb-${arch.deb}`);
  layOut(root, input);
  mkdirSync(join(root, "DEBIAN"));
  const control = [
    "Package: qufabric",
    `Version: ${debVersion(version)}`,
    `Architecture: ${arch.deb}`,
    "Maintainer: QuFabric <packages@qufabric.invalid>",
    "Section: net",
    "Priority: optional",
    "Depends: libc6 (>= 2.17)",
    `Description: ${SUMMARY}`,
    " People sign in with their identity provider; a policy says who may be which user on which machine.",
  ];
  writeFileSync(join(root, "DEBIAN/control"), `${control.join("\n")}\n`);
  const script = (name: string, body: string): void =>
    writeFileSync(join(root, "DEBIAN", name), `#!/bin/sh\nset -e\n${body}\n`, { mode: 0o755 });
  script("postinst", `if [ "$1" = configure ] && [ -n "$2" ]; then ${RESTART}; fi`);
  script("prerm", `if [ "$1" = remove ]; then ${STOP}; fi`);
  const purge = 'if [ "$1" = purge ]; then rm -rf /var/lib/qufabric; fi';
  script("postrm", `if [ "$1" = remove ]; then ${FORGET}; fi\n${purge}`);
  const name = `qufabric_${debVersion(version)}_${arch.deb}.deb`;
  run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, join(input.release, name)], {
    env: { SOURCE_DATE_EPOCH: String(epochSeconds) },
  });
  return name;
}

/** Writes the `.rpm` into the release folder; its name. */
export function buildRpm(input: PackageInput, arch: PackageArch): string {
  const { work, version, epochSeconds } = input;
  const top = join(work, `rpm-${arch.rpm}`);
  const root = join(top, "files");
  layOut(root, input);
  const spec = join(top, "qufabric.spec");
  writeFileSync(spec, specText({ version, root }));
  const defines = {
    _topdir: top,
    _buildhost: "localhost",
    use_source_date_epoch_as_buildtime: "1",
    clamp_mtime_to_source_date_epoch: "1",
    source_date_epoch_from_changelog: "0",
    _binary_payload: "w6.gzdio",
    _build_id_links: "none",
  };
  const flags = Object.entries(defines).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
  run(["rpmbuild", "-bb", "--quiet", "--nodeps", `--target=${arch.rpm}-linux`, ...flags, spec], {
    env: { SOURCE_DATE_EPOCH: String(epochSeconds) },
  });
  const made = join(top, "RPMS", arch.rpm);
  const [name = ""] = readdirSync(made);
  cpSync(join(made, name), join(input.release, name));
  return name;
}

function specText({ version, root }: { readonly version: string; readonly root: string }): string {
  return `%global debug_package %{nil}
%global __os_install_post %{nil}
Name: qufabric
Version: ${version.replace("-", "~")}
Release: 1
Summary: ${SUMMARY}
License: Apache-2.0
AutoReqProv: no
%description
People sign in with their identity provider; a policy says who may be which user on which machine.
%install
cp -a ${root}/. %{buildroot}/
%post
if [ "$1" -gt 1 ]; then ${RESTART}; fi
%preun
if [ "$1" -eq 0 ]; then ${STOP}; fi
%postun
if [ "$1" -eq 0 ]; then ${FORGET}; fi
%files
%defattr(-,root,root)
/usr/bin/qf
/usr/bin/qufabric
/usr/share/man/man1/*
/usr/share/bash-completion/completions/*
/usr/share/zsh/*/_qf
/usr/share/fish/vendor_completions.d/*
/usr/share/qufabric
/usr/share/doc/qufabric
`;
}

/** Candidates sort below their release by a tilde. */
function debVersion(version: string): string {
  return version.replace("-", "~");
}
