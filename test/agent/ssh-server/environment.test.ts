import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StreamOrigin } from "../../../src/agent/contracts/stream-origin.ts";
import {
  connectionVariable,
  loginPath,
  mayClientSet,
  sessionEnvironment,
} from "../../../src/agent/ssh-server/environment.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const origin: StreamOrigin = {
  path: "direct",
  sourceAddress: "203.0.113.7",
  sourcePort: 50_000,
  localAddress: "192.0.2.1",
  localPort: 22_022,
  sourcePeerId: null,
};
const account = {
  ...{ name: "deploy", uid: 1001, gid: 1001, home: "/home/deploy", shell: "/bin/bash" },
  facts: { exists: true, uid: 1001, locked: false, expired: false, nologin: false, shellMissing: false },
};
const facts = {
  ...{ account, origin, path: "/usr/bin:/bin", terminal: null, originalCommand: null },
  ...{ client: new Map<string, string>(), timeZone: undefined, agentSocket: null },
};

test("sessionEnvironment is what sshd sets, and nothing else", () => {
  expect(sessionEnvironment(facts)).toEqual({
    USER: "deploy",
    LOGNAME: "deploy",
    HOME: "/home/deploy",
    SHELL: "/bin/bash",
    PATH: "/usr/bin:/bin",
    MAIL: "/var/mail/deploy",
    SSH_CLIENT: "203.0.113.7 50000 22022",
    SSH_CONNECTION: "203.0.113.7 50000 192.0.2.1 22022",
  });
});

test("sessionEnvironment adds terminal, time zone, agent and forced command where there are any", () => {
  const added = sessionEnvironment({
    ...facts,
    terminal: { path: "/dev/pts/3", type: "xterm" },
    originalCommand: "/usr/bin/uptime",
    timeZone: "Europe/Berlin",
    agentSocket: "/tmp/ssh-AbCdEf/agent.7",
  });
  expect(added).toMatchObject({
    TERM: "xterm",
    SSH_TTY: "/dev/pts/3",
    SSH_ORIGINAL_COMMAND: "/usr/bin/uptime",
    TZ: "Europe/Berlin",
    SSH_AUTH_SOCK: "/tmp/ssh-AbCdEf/agent.7",
  });
});

test("sessionEnvironment never lets a client replace what it sets itself", () => {
  const client = new Map([
    ["HOME", "/tmp"],
    ["LANG", "C"],
  ]);
  expect(sessionEnvironment({ ...facts, client })).toMatchObject({ HOME: "/home/deploy", LANG: "C" });
});

test.each([
  ["LANG", {}, true],
  ["LC_ALL", {}, true],
  ["LANGUAGE", {}, false],
  ["EDITOR", {}, false],
  ["EDITOR", { env: ["EDITOR"] }, true],
  ["LANG", { env: ["EDITOR"] }, false],
  ["DEPLOY_ID", { env: ["DEPLOY_*"] }, true],
  ["LANG", { commands: ["/bin/true"] }, false],
  ["LANG", { commands: ["/bin/true"], env: ["LANG"] }, true],
  ["LD_PRELOAD", { env: ["*"] }, false],
  ["LD_PRELOAD", { env: ["LD_*"] }, false],
  ["BUN_OPTIONS", { env: ["BUN_OPTIONS"] }, false],
  ["NODE_OPTIONS", { env: ["NODE_*"] }, false],
  ["BASH_ENV", { env: ["BASH_ENV"] }, true],
  ["BASH_ENV", { commands: ["/bin/true"], env: ["BASH_ENV"] }, false],
  ["GIT_PROTOCOL", { env: ["GIT_*"] }, true],
  ["GIT_SSH_COMMAND", { env: ["GIT_*"] }, true],
  ["GIT_SSH_COMMAND", {}, false],
  ["GIT_SSH_COMMAND", { commands: ["/bin/true"], env: ["GIT_*"] }, false],
  ["GIT_PROTOCOL", { commands: ["/bin/true"], env: ["GIT_PROTOCOL"] }, true],
  ["PYTHONPATH", { env: ["P*"] }, true],
  ["IFS", { commands: ["/bin/true"], env: ["I*"] }, false],
  ["PATH", { env: ["PATH"] }, false],
  ["SSH_CONNECTION", { env: ["SSH_*"] }, false],
  ["LC_ALL=x", {}, false],
  ["", { env: ["*"] }, false],
] as const)("mayClientSet judges %s under %j", (name, capabilities, want) => {
  expect(mayClientSet(name, structuredClone(capabilities) as never)).toBe(want);
});

test("loginPath reads login.defs as it is now, and knows root's own", () => {
  expect(loginPath(0, "/no/such")).toContain("/sbin");
  expect(loginPath(1000, "/no/such")).not.toContain("/sbin");
  const etc = tempFolder();
  for (const path of ["/a", "/b"]) {
    writeFileSync(join(etc, "login.defs"), `ENV_PATH PATH=${path}\nENV_SUPATH PATH=${path}/root\n`);
    expect([loginPath(1000, etc), loginPath(0, etc)]).toEqual([path, `${path}/root`]);
  }
});

test("connectionVariable has both ends", () => {
  expect(connectionVariable(origin)).toBe("203.0.113.7 50000 192.0.2.1 22022");
});
