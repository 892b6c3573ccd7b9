/** `KEY=VALUE` arguments: what they mean, and what is no assignment. */
import { expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { assign, assignOrRemove, fitTo, flatten, parseAssignment } from "../../src/cli/assignments.ts";
import { PolicyRuleWrite } from "../../src/wire/policy.ts";

test.each([
  ["prompt_login=false", ["prompt_login"], false],
  ["login_seconds_max=3600", ["login_seconds_max"], 3600],
  ["require.reason=true", ["require", "reason"], true],
  ["ssh.local_forward=db:5432,web:80", ["ssh", "local_forward"], ["db:5432", "web:80"]],
  ['ssh.commands=["/usr/bin/uptime"]', ["ssh", "commands"], ["/usr/bin/uptime"]],
  ["ssh.commands=null", ["ssh", "commands"], null],
  ["dns_domain=a=b", ["dns_domain"], "a=b"],
  ["description=", ["description"], ""],
])("%s assigns", (text, path, value) => {
  expect(parseAssignment(text)).toEqual({ path, value });
});

test.each(["", "=1", "key", "Key=1", "a..b=1", "a.b.c.d.e=1", "__proto__.x=1", "a b=1"])(
  "%j is no assignment",
  (text) => {
    let thrown: unknown;
    try {
      parseAssignment(text);
    } catch (error) {
      thrown = error;
    }
    expect(isQfError(thrown, "ERR_USAGE")).toBe(true);
  },
);

test("assign changes what is named and keeps the rest", () => {
  const before = { a: 1, ssh: { pty: true, sftp: "write" } };
  const after = assign(before, [parseAssignment("ssh.sftp=read"), parseAssignment("require.reason=true")]);
  expect(after).toEqual({ a: 1, ssh: { pty: true, sftp: "read" }, require: { reason: true } });
  expect(before).toEqual({ a: 1, ssh: { pty: true, sftp: "write" } });
});

test.each([
  ["ssh.pty=null", { a: 1, ssh: { sftp: "write" } }],
  ["ssh=null", { a: 1 }],
  ["a=null", { ssh: { pty: true, sftp: "write" } }],
  ["ssh.record=null", { a: 1, ssh: { pty: true, sftp: "write" } }],
  ["ssh.sftp=read", { a: 1, ssh: { pty: true, sftp: "read" } }],
])("assignOrRemove by %s", (text, after) => {
  const before = { a: 1, ssh: { pty: true, sftp: "write" } };
  expect(assignOrRemove(before, [parseAssignment(text)])).toEqual(after);
});

test("flatten gives dotted keys", () => {
  expect(flatten({ a: 1, b: { c: [2], d: {} } })).toEqual([
    ["a", 1],
    ["b.c", [2]],
    ["b.d", {}],
  ]);
});

test.each([
  ["ssh.local_forward=db:5432", ["db:5432"]],
  ["ssh.local_forward=db:5432,*:443", ["db:5432", "*:443"]],
  ["ssh.env=GIT_*", ["GIT_*"]],
  ["ports=443", ["443"]],
  ["ports=80,443", ["80", "443"]],
  ["machine_local_users=deploy", ["deploy"]],
  ["ssh.commands=null", null],
  ["ssh.commands=[]", []],
  ["valid_until=2027-01-31T00:00:00Z", 1_801_353_600],
  ["valid_from=2027-01-31T01:00:00+01:00", 1_801_353_600],
  ["valid_until=2027-01-31", 1_801_353_600],
  ["valid_from=2027-01-31T00:00Z", 1_801_353_600],
  ["valid_until=2027-02-31", "2027-02-31"],
  ["name=2027-01-31", "2027-01-31"],
  ["valid_until=1801353600", 1_801_353_600],
  ["valid_until=tomorrow", "tomorrow"],
  ["valid_until=2027-13-41T00:00:00Z", "2027-13-41T00:00:00Z"],
  ["name=2027-01-31T00:00:00Z", "2027-01-31T00:00:00Z"],
  ["ssh.sftp=read", "read"],
  ["no_such_field=a", "a"],
])("fitTo reads %s as the rule's field wants it", (text, want) => {
  const [assignment] = fitTo(PolicyRuleWrite, [parseAssignment(text)]);
  expect(assignment?.value).toEqual(want);
});

test("flatten leaves out what is undefined, which no table can show", () => {
  expect(flatten({ a: undefined, b: { c: undefined }, d: null })).toEqual([["d", null]]);
});
