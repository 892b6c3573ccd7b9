import { expect, test } from "bun:test";
import { codeRanges, releaseCodePages } from "../../../src/agent/os/code-pages.ts";

const QF = "/usr/bin/qf";

interface Mapping {
  readonly permissions?: string;
  readonly path?: string;
  readonly anonymous?: number;
  readonly swap?: number;
}

function mapping({ permissions = "r-xp", path = QF, anonymous = 0, swap = 0 }: Mapping): string {
  return [
    `01a40000-0684a000 ${permissions} 01838000 fe:00 4401912                  ${path}`,
    ...["Size:              79912 kB", "Rss:               38088 kB"],
    ...[
      `Anonymous:      ${String(anonymous).padStart(9)} kB`,
      `Swap:           ${String(swap).padStart(9)} kB`,
    ],
    "SwapPss:               0 kB",
    "VmFlags: rd ex mr mw me ",
    "",
  ].join("\n");
}

const CODE = [{ start: 0x01a40000n, end: 0x0684a000n }];

// Each row but the first three differs from code in one respect.
test.each([
  { name: "finds code", mappings: [{}], want: CODE },
  { name: "finds constants", mappings: [{ permissions: "r--p" }], want: CODE },
  { name: "finds code among others", mappings: [{ path: "" }, {}, { path: "[stack]" }], want: CODE },
  { name: "leaves data", mappings: [{ permissions: "rw-p" }], want: [] },
  { name: "leaves what can be written and run", mappings: [{ permissions: "rwxp" }], want: [] },
  { name: "leaves what is shared", mappings: [{ permissions: "r-xs" }], want: [] },
  { name: "leaves what cannot be read", mappings: [{ permissions: "---p" }], want: [] },
  { name: "leaves a page that was changed before it was protected", mappings: [{ anonymous: 4 }], want: [] },
  { name: "leaves a changed page that is swapped out", mappings: [{ swap: 4 }], want: [] },
  { name: "leaves a library", mappings: [{ path: "/usr/lib/libc.so.6" }], want: [] },
  { name: "leaves a file whose name begins so", mappings: [{ path: `${QF} (deleted)` }], want: [] },
  { name: "leaves memory without a file", mappings: [{ path: "" }], want: [] },
])("codeRanges $name", ({ mappings, want }) => {
  expect(codeRanges(mappings.map(mapping).join(""), QF)).toEqual([...want]);
});

test("codeRanges finds the code of an executable that was replaced", () => {
  const path = `${QF} (deleted)`;
  expect(codeRanges(mapping({ path }), path)).toEqual(CODE);
});

test("codeRanges takes a mapping without its figures for changed", () => {
  expect(codeRanges(mapping({}).replace(/^Anonymous.*\n/m, ""), QF)).toEqual([]);
});

test("releaseCodePages gives back this process's code, which goes on", () => {
  expect(releaseCodePages()).toBeGreaterThan(0);
  expect(releaseCodePages()).toBeGreaterThan(0);
});
