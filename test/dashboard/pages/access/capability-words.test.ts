import { expect, test } from "bun:test";
import { accessWords } from "../../../../src/dashboard/pages/access/capability-words.ts";
import { PLAIN_WORDS } from "../../../../src/policy/code/access.ts";

const FREE = [
  "without_approval",
  "without_reason",
  "without_recent_sign_in",
  "without_recording",
  "at_any_time",
];

test.each<[capabilities: string[], may: string[], only: string[]]>([
  [["connect", "shell", "pty", "sftp", "sftp_write", ...FREE], ["shell", "files both ways"], []],
  [["connect", "sftp", ...FREE], ["download files"], []],
  [
    ["connect", "exec df -h", "local_forward db.internal:5432", ...FREE],
    ["run df -h", "forward to db.internal:5432"],
    [],
  ],
  [["connect", ...FREE], ["connect"], []],
  [
    ["connect", "shell", "without_reason", "at_any_time"],
    ["shell"],
    ["once approved", "with a recent sign-in", "recorded"],
  ],
  [
    ["connect", "shell", "without_approval", "without_recent_sign_in", "without_recording"],
    ["shell"],
    ["saying why", "at certain times"],
  ],
  [[], [], ["once approved", "saying why", "with a recent sign-in", "recorded", "at certain times"]],
])("%j lets one %j, but only %j", (capabilities, may, only) => {
  expect(accessWords(capabilities)).toEqual({ may, only });
});

test("every word that is granted is told without an underscore", () => {
  const { may } = accessWords(PLAIN_WORDS);
  expect(may.filter((text) => text.includes("_"))).toEqual([]);
});

test("a word that is not known is told as it is", () => {
  expect(accessWords(["connect", "new_thing", ...FREE]).may).toEqual(["new thing"]);
});
