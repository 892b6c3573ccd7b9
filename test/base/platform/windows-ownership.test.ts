import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { principalsOf, windowsOwnership } from "../../../src/base/platform/windows-ownership.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const FOLDER = "C:\\Users\\ada\\.config\\qufabric";
const ADA = "S-1-5-21-3623811015-3361044348-30300820-1013";
/** As whoami prints it; the name in the code page of a console, which is not UTF-8. */
const ADA_IS = `"desk\\ad\uFFFD","${ADA}"\r\n`;
/** As icacls saves the access list of a folder. */
const saved = (...entries: string[]) => `qufabric\r\nD:PAI${entries.join("")}\r\n`;
const OURS = `(A;OICI;FA;;;${ADA})`;

interface Answers {
  readonly whoami?: string | null;
  /** What `icacls /save` writes. */
  readonly saved?: string | null;
  /** Steps that icacls carries out. */
  readonly does?: readonly string[];
}

/** Windows' own programs, played by hand. */
function tools({ whoami = ADA_IS, saved: list = null, does = [] }: Answers) {
  const ran: string[][] = [];
  const ownership = windowsOwnership((argv) => {
    const [program = "", ...words] = argv;
    ran.push([program, ...words]);
    if (program.endsWith("\\whoami.exe")) return words.join(" ") === "/user /fo csv /nh" ? whoami : null;
    const [, step, file = ""] = words;
    if (step !== "/save") return does.includes(words.slice(1).join(" ")) ? "" : null;
    if (list === null) return null;
    writeFileSync(file, list, "utf16le");
    return "";
  }, tempFolder());
  return { ownership, ran };
}

test.each<[who: string, entries: string[], want: "open" | null]>([
  ["the person alone", [OURS], null],
  ["the person, by inheritance", [`(A;OICIID;FA;;;${ADA})`], null],
  ["the person, SYSTEM and Administrators", [OURS, "(A;OICIID;FA;;;SY)", "(A;OICIID;FA;;;BA)"], null],
  ["these by their SIDs", [OURS, "(A;;FA;;;S-1-5-18)", "(A;;0x1f01ff;;;S-1-5-32-544)"], null],
  ["the built-in Administrator", [OURS, "(A;OICI;FA;;;LA)"], null],
  ["everybody", [OURS, "(A;OICI;0x1200a9;;;WD)"], "open"],
  ["all users", [OURS, "(A;OICIID;0x1200a9;;;BU)"], "open"],
  ["whoever makes a file in it", [OURS, "(A;OICIIO;FA;;;CO)"], "open"],
  ["another person", ["(A;;FR;;;S-1-5-21-3623811015-3361044348-30300820-1014)", OURS], "open"],
  ["one whose SID begins like hers", [`(A;;FA;;;${ADA}1)`], "open"],
  ["the same number in another domain", ["(A;;FA;;;S-1-5-21-1-2-3-1013)"], "open"],
  ["somebody who is denied", [OURS, "(D;;WD;;;S-1-5-21-1-2-3-1014)"], "open"],
])("a folder that is open to %s", (_who, entries, want) => {
  const { ownership } = tools({ saved: saved(...entries) });
  expect(ownership.intruder(FOLDER)).toBe(want);
});

test.each<[why: string, answers: Answers]>([
  ["icacls fails", { saved: null }],
  ["nobody says who this is", { saved: saved(OURS), whoami: null }],
  ["what says it is no SID", { saved: saved(OURS), whoami: `"desk\\ada","S-1-"` }],
  ["a name is what says it", { saved: saved(OURS), whoami: `"desk\\${ADA}","ada"\r\n` }],
  ["the list is of another path", { saved: saved(OURS).replace("qufabric", "other") }],
  ["it is of two paths", { saved: `${saved(OURS)}${saved(OURS)}` }],
  ["it has no entry", { saved: saved() }],
  ["there is no list, so that everybody may enter", { saved: "qufabric\r\nD:NO_ACCESS_CONTROL\r\n" }],
  ["an entry does not read", { saved: saved(OURS, "(A;OICI;FA;;;ada)") }],
  ["an entry has a condition", { saved: saved(OURS, "(XA;;FX;;;BA;(@User.Title == 1))") }],
  ["something stands between entries", { saved: saved(OURS, " ", OURS) }],
  ["it is too long", { saved: saved(...Array.from({ length: 20_000 }, () => OURS)) }],
])("a folder counts as open when %s", (_why, answers) => {
  expect(tools(answers).ownership.intruder(FOLDER)).toBe("open");
});

test("a new folder is given to its person by SID, and nothing of it is inherited", () => {
  const grant = `/inheritance:r /grant:r *${ADA}:(OI)(CI)F`;
  const { ownership, ran } = tools({ does: ["/reset", grant] });
  expect(ownership.closeToOthers(FOLDER)).toBe(true);
  expect(ran.slice(1).map((argv) => argv.slice(1))).toEqual([
    [FOLDER, "/reset"],
    [FOLDER, ...grant.split(" ")],
  ]);
  for (const [program] of ran) expect(program).toMatch(/^[A-Z]:\\.*\\System32\\(?:icacls|whoami)\.exe$/);
});

test("a table that names the person is read as well", () => {
  const whoami = `User Name SID\r\n========= ===\r\nDESK\\ada ${ADA}\r\n`;
  expect(tools({ whoami, saved: saved(OURS) }).ownership.intruder(FOLDER)).toBeNull();
});

test("a folder that cannot be closed is not used", () => {
  const { ownership } = tools({ does: ["/reset"] });
  expect(ownership.closeToOthers(FOLDER)).toBe(false);
  expect(tools({ whoami: null }).ownership.closeToOthers(FOLDER)).toBe(false);
});

test("what a person can do takes away what others were given, too", () => {
  const hint = tools({}).ownership.remedy(FOLDER);
  expect(hint).toStartWith(`icacls "${FOLDER}" /reset && icacls "${FOLDER}" /inheritance:r /grant:r "`);
});

test("names of files are compared as Windows does, with and without a byte order mark", () => {
  const path = "C:\\Program Files (x86)\\a: b\\Logins";
  expect(principalsOf(`\uFEFFlogins\r\nD:AI${OURS}\r\n`, path)).toEqual([ADA]);
});
