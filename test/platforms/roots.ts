/**
 * Root file systems of other distributions, C libraries and processors, made once each from Debian's and
 * Ubuntu's packages and kept as tarballs in `.tools/roots`.
 */
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOTS = resolve(import.meta.dir, "../../.tools/roots");
const DEBIAN = "http://deb.debian.org/debian";
const UBUNTU = "http://archive.ubuntu.com/ubuntu";
const PACKAGES = "curl,ca-certificates,openssh-client,procps";
/** A package of PyPI whose builds for musl bring along the libstdc++ and libgcc that Bun needs there. */
const CXX_WHEEL = "greenlet==3.2.4";
const CXX_DIGESTS: Readonly<Record<Arch, string>> = {
  amd64: "326d234cbf337c9c3def0676412eb7040a35a768efc92504b947b3e9cfc7543d",
  arm64: "ee7a6ec486883397d70eec05059353b8e83eca9168b9f3f9a361971e77e0bcd0",
};

export type Arch = "amd64" | "arm64";

export interface PlatformRoot {
  readonly name: string;
  readonly title: string;
  readonly arch: Arch;
  readonly make: (folder: string) => void;
}

export const PLATFORM_ROOTS: readonly PlatformRoot[] = [
  {
    name: "debian-13",
    title: "Debian 13, x86-64",
    arch: "amd64",
    make: (folder) =>
      mustRun("debootstrap", "--variant=minbase", `--include=${PACKAGES}`, "trixie", folder, DEBIAN),
  },
  {
    name: "ubuntu-24.04",
    title: "Ubuntu 24.04, x86-64",
    arch: "amd64",
    // Debian has no keys of Ubuntu's archive; the root is thrown away again and holds no secret.
    make: (folder) =>
      mustRun(
        ...["debootstrap", "--variant=minbase", "--no-check-gpg", `--include=${PACKAGES}`],
        ...["noble", folder, UBUNTU, "/usr/share/debootstrap/scripts/jammy"],
      ),
  },
  {
    name: "musl",
    title: "musl 1.2.5 and busybox, x86-64",
    arch: "amd64",
    make: (folder) => muslRoot(folder, "amd64"),
  },
  {
    name: "debian-13-arm64",
    title: "Debian 13, arm64",
    arch: "arm64",
    make: (folder) => {
      unpackDebian(folder, "arm64", PACKAGES);
      // Nothing was configured there, so PAM's rules are missing, which a package's script would have made.
      for (const kind of ["account", "auth", "password", "session"]) {
        writeFileSync(join(folder, `etc/pam.d/common-${kind}`), `${kind} required pam_unix.so\n`);
      }
      accounts(folder);
    },
  },
  {
    name: "musl-arm64",
    title: "musl 1.2.5 and busybox, arm64",
    arch: "arm64",
    make: (folder) => muslRoot(folder, "arm64"),
  },
];

/** Debian 13 with its Wine 10; Debian 12's Wine 8 lacks a library that Bun needs. */
export const WINE_ROOT: PlatformRoot = {
  name: "windows",
  title: "Windows x86-64, under Wine",
  arch: "amd64",
  make: (folder) => {
    mustRun("debootstrap", "--variant=minbase", `--include=${PACKAGES}`, "trixie", folder, DEBIAN);
    const install = "apt-get install -y -q --no-install-recommends wine wine64 && apt-get clean";
    mustRun("chroot", folder, "sh", "-c", `apt-get update -q && DEBIAN_FRONTEND=noninteractive ${install}`);
  },
};

/** Puts the root file system into the new folder `folder`, with the account `deploy`. */
export function unpackPlatformRoot(root: PlatformRoot, folder: string): void {
  const tarball = join(ROOTS, `${root.name}.tar`);
  if (!existsSync(tarball)) makeTarball(root, tarball);
  mkdirSync(folder, { recursive: true });
  mustRun("tar", "-C", folder, "-xpf", tarball);
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "home/deploy"), { recursive: true });
  appendFileSync(join(folder, "etc/passwd"), "deploy:x:1000:1000::/home/deploy:/bin/sh\n");
  appendFileSync(join(folder, "etc/group"), "deploy:x:1000:\n");
  appendFileSync(join(folder, "etc/shadow"), "deploy:*:20000:0:99999:7:::\n");
  mustRun("chown", "1000:1000", join(folder, "home/deploy"));
}

function makeTarball({ name, make }: PlatformRoot, tarball: string): void {
  mkdirSync(ROOTS, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), `qf-root-${name}-`));
  try {
    make(folder);
    mustRun("tar", "-C", folder, "-cf", `${tarball}.new`, ".");
    renameSync(`${tarball}.new`, tarball);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Packages of Debian 13, unpacked and not configured, so nothing of another processor needs to run. */
function unpackDebian(folder: string, arch: Arch, packages: string): void {
  const options = ["--foreign", `--arch=${arch}`, "--variant=minbase", `--include=${packages}`];
  mustRun("debootstrap", ...options, "trixie", folder, DEBIAN);
  const archives = join(folder, "var/cache/apt/archives");
  for (const name of readdirSync(archives).filter((one) => one.endsWith(".deb"))) {
    mustRun("dpkg-deb", "-x", join(archives, name), folder);
  }
  rmSync(archives, { recursive: true, force: true });
}

/** musl's loader, busybox with all its commands, and the C++ library: nothing of glibc. */
function muslRoot(folder: string, arch: Arch): void {
  const debian = `${folder}-debian`;
  try {
    unpackDebian(debian, arch, "musl,busybox-static");
    const processor = arch === "amd64" ? "x86_64" : "aarch64";
    for (const name of [
      "bin",
      "dev",
      "etc",
      "lib",
      "proc",
      "root",
      "run",
      "sys",
      "tmp",
      "usr/bin",
      "usr/lib",
      "var/lib",
    ]) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    cpSync(
      join(debian, `usr/lib/${processor}-linux-musl/libc.so`),
      join(folder, `lib/ld-musl-${processor}.so.1`),
    );
    cpSync(join(debian, "usr/bin/busybox"), join(folder, "bin/busybox"));
    const applets = Bun.spawnSync(["busybox", "--list"]).stdout.toString().split("\n").filter(Boolean);
    for (const applet of applets.filter((one) => one !== "busybox"))
      symlinkSync("/bin/busybox", join(folder, "bin", applet));
    cxxLibraries(join(folder, "usr/lib"), arch, processor);
    accounts(folder);
    writeFileSync(join(folder, "etc/os-release"), 'ID=musl\nPRETTY_NAME="musl and busybox"\n');
    chmodSync(join(folder, "tmp"), 0o1777);
  } finally {
    rmSync(debian, { recursive: true, force: true });
  }
}

function cxxLibraries(folder: string, arch: Arch, processor: string): void {
  const wheels = mkdtempSync(join(tmpdir(), "qf-wheel-"));
  try {
    const requirements = join(wheels, "requirements.txt");
    writeFileSync(requirements, `${CXX_WHEEL} --hash=sha256:${CXX_DIGESTS[arch]}\n`);
    const python = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"];
    const platform = ["--platform", `musllinux_1_2_${processor}`];
    const options = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "-d", wheels];
    mustRun("python3", "-m", "pip", "download", ...options, ...platform, ...python, "-r", requirements);
    const [wheel = ""] = readdirSync(wheels).filter((name) => name.endsWith(".whl"));
    mustRun("unzip", "-q", "-j", join(wheels, wheel), "greenlet.libs/*", "-d", folder);
    for (const name of readdirSync(folder)) {
      const [, plain] = /^(libstdc\+\+|libgcc_s)-[0-9a-f]+\.so/.exec(name) ?? [];
      if (plain !== undefined)
        symlinkSync(name, join(folder, plain === "libgcc_s" ? "libgcc_s.so.1" : "libstdc++.so.6"));
    }
  } finally {
    rmSync(wheels, { recursive: true, force: true });
  }
}

/** The system's own accounts, which a package's script would have made. */
function accounts(folder: string): void {
  writeFileSync(
    join(folder, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
  );
  writeFileSync(join(folder, "etc/group"), "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
  writeFileSync(join(folder, "etc/shadow"), "root:*:20000:0:99999:7:::\nnobody:*:20000:0:99999:7:::\n", {
    mode: 0o600,
  });
}

function mustRun(...command: string[]): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
  if (exitCode === 0) return;
  throw new Error(`${command.join(" ")} failed: ${`${stdout}${stderr}`.slice(-2_000)}`);
}
