import { expect, test } from "bun:test";
import { principalsOf, windowsOwnership } from "../../../src/base/platform/windows-ownership.ts";

const FOLDER = "C:\\Users\\ada\\.config\\qufabric";
const END = "\r\n\r\nSuccessfully processed 1 files; Failed processing 0 files\r\n";
/** As icacls lists a folder: the path before the first entry, further ones below. */
const listed = (...entries: string[]) =>
  `${FOLDER} ${entries.join(`\r\n${" ".repeat(FOLDER.length + 1)}`)}${END}`;
const OURS = "DESK\\ada:(OI)(CI)(F)";
const SYSTEM = "NT AUTHORITY\\SYSTEM:(I)(OI)(CI)(F)";
const ADMINS = "BUILTIN\\Administrators:(I)(OI)(CI)(F)";

/** Windows' own programs, played by hand. */
function tools(answers: Readonly<Record<string, string | null>>) {
  const ran: string[][] = [];
  const ownership = windowsOwnership((argv) => {
    const [path = "", ...rest] = argv;
    ran.push([path, ...rest]);
    const key = [path.split("\\").at(-1), ...rest.slice(1)].join(" ").trim();
    return answers[key] ?? null;
  });
  return { ownership, ran };
}

test.each<[who: string, entries: string[], want: "open" | null]>([
  ["the person alone", [OURS], null],
  ["the person as Windows writes them elsewhere", ["desk\\ADA:(OI)(CI)(F)"], null],
  ["the person, the system and administrators", [OURS, SYSTEM, ADMINS], null],
  ["everybody", [OURS, "Everyone:(OI)(CI)(RX)"], "open"],
  ["all users", [OURS, "BUILTIN\\Users:(I)(OI)(CI)(RX)"], "open"],
  ["another person", ["DESK\\eve:(R)", OURS], "open"],
  ["one whose name begins like hers", ["DESK\\ada2:(F)"], "open"],
  ["one with a name of another domain", ["CORP\\ada:(F)"], "open"],
  ["somebody who is denied", [OURS, "DESK\\eve:(DENY)(W)"], "open"],
  ["an account without a name any more", ["S-1-5-21-1-2-3-1001:(F)"], "open"],
])("a folder that is open to %s", (_who, entries, want) => {
  const { ownership } = tools({ "icacls.exe": listed(...entries), "whoami.exe": "desk\\ada\r\n" });
  expect(ownership.intruder(FOLDER)).toBe(want);
});

test.each([
  ["icacls fails", { "icacls.exe": null, "whoami.exe": "desk\\ada" }],
  ["nobody says who this is", { "icacls.exe": listed(OURS), "whoami.exe": null }],
  ["it lists another path", { "icacls.exe": `D:\\x ${OURS}${END}`, "whoami.exe": "desk\\ada" }],
  ["it lists nobody", { "icacls.exe": `${FOLDER} ${END}`, "whoami.exe": "desk\\ada" }],
  ["a line does not read", { "icacls.exe": listed(OURS, "and so on"), "whoami.exe": "desk\\ada" }],
])("a folder counts as open when %s", (_why, answers) => {
  expect(tools(answers).ownership.intruder(FOLDER)).toBe("open");
});

test("a new folder is given to its person, and nothing of it is inherited", () => {
  const { ownership, ran } = tools({
    "whoami.exe": "desk\\ada\r\n",
    "icacls.exe /reset": "",
    "icacls.exe /inheritance:r /grant:r desk\\ada:(OI)(CI)F": "",
  });
  expect(ownership.closeToOthers(FOLDER)).toBe(true);
  expect(ran.map(([, path, ...rest]) => [path, ...rest])).toEqual([
    [undefined as never],
    [FOLDER, "/reset"],
    [FOLDER, "/inheritance:r", "/grant:r", "desk\\ada:(OI)(CI)F"],
  ]);
  for (const [program] of ran) expect(program).toMatch(/^[A-Z]:\\.*\\System32\\(?:icacls|whoami)\.exe$/);
});

test("a folder that cannot be closed is not used", () => {
  const { ownership } = tools({ "whoami.exe": "desk\\ada", "icacls.exe /reset": "" });
  expect(ownership.closeToOthers(FOLDER)).toBe(false);
  expect(tools({ "whoami.exe": null }).ownership.closeToOthers(FOLDER)).toBe(false);
});

test("paths with spaces and parentheses are read as they are", () => {
  const path = "C:\\Program Files (x86)\\a: b";
  expect(principalsOf(`${path} ${OURS}\r\n`, path)).toEqual(["desk\\ada"]);
});
