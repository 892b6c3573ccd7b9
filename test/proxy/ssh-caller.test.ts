import { expect, test } from "bun:test";
import { checkCaller, configOptions, findCaller, userOption } from "../../src/proxy/ssh-caller.ts";

test.each([
  [["web1"], []],
  [
    ["-F", "x", "web1", "true"],
    ["-F", "x"],
  ],
  [
    ["-vFx", "web1"],
    ["-F", "x"],
  ],
  [
    ["-o", "A=b", "-oC=d", "web1"],
    ["-o", "A=b", "-o", "C=d"],
  ],
  [
    ["-4Tvo", "A=b", "web1"],
    ["-o", "A=b"],
  ],
  [["-p", "22", "-l", "-o", "web1"], []],
  [
    ["web1", "-o", "A=b", "cmd", "-o", "C=d"],
    ["-o", "A=b"],
  ],
  [
    ["-x", "-oA=b", "--", "web1", "-oC=d"],
    ["-o", "A=b"],
  ],
  [["-L", "-oA=b", "web1"], []],
  [["-o"], ["-o", ""]],
  [[], []],
])("of %p the options that configure are %p", (argv, options) => {
  expect(configOptions(argv)).toEqual(options);
});

test.each([
  [["web1"], undefined],
  [["deploy@web1", "true"], "deploy"],
  [["-l", "deploy", "web1"], "deploy"],
  [["-ldeploy", "root@web1"], "deploy"],
  [["web1", "-l", "deploy"], "deploy"],
  [["-o", "User=deploy", "web1", "id", "x@y"], undefined],
  [["ssh://deploy@web1:22"], "deploy"],
  [["a@b@web1"], "a@b"],
  [["@web1"], undefined],
  [[], undefined],
])("%p ask for the OS user %p", (argv, user) => {
  expect(userOption(argv)).toBe(user as string);
});

test("whoever is no ssh is no caller", () => {
  expect(findCaller(process.pid)).toBeUndefined();
  expect(findCaller(4_194_304)).toBeUndefined();
});

test("a system that does not say who called leaves the host key to us, whoever did", async () => {
  const about = { host: "web1", folder: "/nowhere", environment: {} };
  expect(await checkCaller({ ...about, caller: undefined, seesCallers: false })).toBe("qf");
  expect(await checkCaller({ ...about, caller: undefined, seesCallers: true })).toBe("ssh");
});
