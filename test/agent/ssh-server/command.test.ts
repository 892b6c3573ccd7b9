import { expect, test } from "bun:test";
import { argvOf, endOf, signalOf } from "../../../src/agent/ssh-server/command.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { anId } from "../../support/policy.ts";

const account = {
  ...{ name: "deploy", uid: 1, gid: 1, home: "/", shell: "/bin/bash" },
  facts: { exists: true, uid: 1, locked: false, expired: false, nologin: false, shellMissing: false },
};
const grant = (capabilities: SshCapabilities) => ({
  ruleId: anId("rule"),
  capabilities,
  validUntilSeconds: null,
});

test("argvOf makes a login shell, a command for the shell, or a listed command without one", () => {
  expect(argvOf({ kind: "shell" }, account, grant({}))).toEqual({
    file: "/bin/bash",
    words: ["-bash"],
    isListed: false,
  });
  expect(argvOf({ kind: "exec", command: "id; id" }, account, grant({}))).toEqual({
    file: "/bin/bash",
    words: ["bash", "-c", "id; id"],
    isListed: false,
  });
  const listed = grant({ commands: ["/usr/bin/echo $HOME ;id"] });
  expect(argvOf({ kind: "exec", command: "/usr/bin/echo $HOME ;id" }, account, listed)).toEqual({
    file: "/usr/bin/echo",
    words: ["/usr/bin/echo", "$HOME", ";id"],
    isListed: true,
  });
});

test.each([
  ["a status", { status: 3, signal: null }, { status: 3 }],
  ["a signal of the protocol", { status: null, signal: "SIGKILL" }, { signal: "KILL" }],
  ["a signal it has no name for", { status: null, signal: "SIGXFSZ" }, { status: 153 }],
  ["nothing known", { status: null, signal: null }, { status: 255 }],
])("endOf tells %s", (_name, exit, want) => {
  expect(endOf(exit)).toEqual(want as never);
});

test("signalOf takes the protocol's names and no others", () => {
  expect(signalOf("TERM")).toBe("SIGTERM");
  for (const name of ["STOP", "SIGTERM", "term", "__proto__", ""]) expect(signalOf(name)).toBeUndefined();
});
