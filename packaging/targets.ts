/**
 * The targets of a release: which of Bun's runtimes each is made of, pinned by the registry's own digest.
 *
 * @module
 */
import type { Target } from "../src/wire/release.ts";

/** Version of every runtime: that of the Bun that builds. */
export const RUNTIME_VERSION = "1.4.5";

export interface TargetBuild {
  /** As `Bun.build` names it. */
  readonly bun: `bun-${string}`;
  /** npm package of the runtime, of `RUNTIME_VERSION`. */
  readonly runtime: string;
  /** Subresource integrity of its tarball. */
  readonly integrity: string;
  /** Name of the executable in a release folder. */
  readonly name: string;
  /** C compiler of the session helper. Absent: the build does without it. */
  readonly cc?: string;
}

/** Every target that is built, in this order. */
export const TARGET_BUILDS: Readonly<Partial<Record<Target, TargetBuild>>> = {
  "linux-x64": {
    bun: "bun-linux-x64",
    runtime: "@oven/bun-linux-x64",
    integrity:
      "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
    name: "qf-linux-x64",
    cc: "gcc",
  },
  "linux-x64-baseline": {
    bun: "bun-linux-x64-baseline",
    runtime: "@oven/bun-linux-x64-baseline",
    integrity:
      "sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==",
    name: "qf-linux-x64-baseline",
    cc: "gcc",
  },
  "linux-x64-musl": {
    bun: "bun-linux-x64-musl",
    runtime: "@oven/bun-linux-x64-musl",
    integrity:
      "sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==",
    name: "qf-linux-x64-musl",
    cc: "musl-gcc",
  },
  "linux-x64-musl-baseline": {
    bun: "bun-linux-x64-musl-baseline",
    runtime: "@oven/bun-linux-x64-musl-baseline",
    integrity:
      "sha512-cWJhU8h0+MiUgpSt99sQhjxLIIosKEcKYdtKddohokUvAuN6jKOy7g7+QDTZTXtwHxz93wL3BX+L6wXVPDUH3A==",
    name: "qf-linux-x64-musl-baseline",
    cc: "musl-gcc",
  },
  "linux-arm64": {
    bun: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    integrity:
      "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
    name: "qf-linux-arm64",
    cc: "aarch64-linux-gnu-gcc",
  },
  "linux-arm64-musl": {
    bun: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
    integrity:
      "sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
    name: "qf-linux-arm64-musl",
  },
  "darwin-arm64": {
    bun: "bun-darwin-arm64",
    runtime: "@oven/bun-darwin-aarch64",
    integrity:
      "sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==",
    name: "qf-darwin-arm64",
  },
  // Of the two runtimes for Windows the one that runs on every processor.
  "windows-x64": {
    bun: "bun-windows-x64-baseline",
    runtime: "@oven/bun-windows-x64-baseline",
    integrity:
      "sha512-/U3Dc74uGqE6EUqef7mPtg9KwJs7iJH4JHRMfIZIn18MrJh6Xz4gVvWDXRvzCL2j8wPlTnJVyrO4n7Qq4uM7TQ==",
    name: "qf-windows-x64.exe",
  },
};

/** Targets that a release leaves out, and why. */
export const LEFT_OUT: Readonly<Partial<Record<Target, string>>> = {
  "darwin-x64":
    "the build keeps the code signature of Bun's own runtime, which no longer fits it, and nothing here re-signs it",
};
