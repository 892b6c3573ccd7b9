/**
 * Nothing in the SSH server begins or ends but through its kernel: each call that makes the system do
 * something has its one place, and that place holds a permit.
 */
import { expect, test } from "bun:test";
import { readSources } from "./source-tree.ts";

const FOLDER = "src/agent/ssh-server/";
const sources = readSources("src/agent/ssh-server").map(({ path, text }) => ({
  name: path.slice(path.indexOf(FOLDER) + FOLDER.length),
  code: text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "$1"),
}));

/** Files in which `what` occurs. */
const filesWith = (what: RegExp): string[] =>
  sources
    .filter(({ code }) => what.test(code))
    .map(({ name }) => name)
    .sort();

/**
 * What begins something, and the files that may say it. Each of them has a permit in hand, or is the kernel.
 */
test.each<[what: string, pattern: RegExp, files: readonly string[]]>([
  ["starts a process", /\bspawnAs\(|\bBun\.spawn|child_process/, ["program.ts"]],
  ["opens a terminal", /\bopenPty\(/, ["program.ts"]],
  ["starts a program of a session", /\bstartProgram\(/, ["program.ts", "session-program.ts"]],
  ["has a session's program started", /\bstartSessionProgram\(/, ["session-program.ts", "session.ts"]],
  ["starts a forward helper", /\bopenForwardHelper\(/, ["forward-helpers.ts"]],
  [
    "gives a forward helper an order",
    /\bhelper\.(?:resolve|dial|listen)/,
    ["forward-listener.ts", "forward.ts"],
  ],
  ["has a forward helper listen", /\bopenListener\(/, ["forward-listener.ts", "forward.ts"]],
  [
    "opens a socket",
    /\bBun\.(?:connect|listen)|"node:(?:net|dgram|tls)"|\bconnect(?:Unix|Tcp\w*)\(/,
    ["destination.ts"],
  ],
  ["takes a socket over", /\badoptSocket\(/, ["tunnel.ts"]],
  ["joins a socket and a channel", /\bjoinTunnel\(/, ["forward.ts", "tunnel.ts"]],
  ["takes a channel that the client asks for", /\.acceptChannel\(/, ["forward.ts"]],
  ["asks the client for a channel", /\.openChannel\(/, ["forward-listener.ts"]],
  ["makes a permit", /\bnew Permit\b/, ["permit.ts"]],
  ["lets something run", /\brunning\.add\(/, ["permit.ts"]],
  ["asks for a permit", /\bpermit</, ["admit.ts", "forward-permit.ts", "permit.ts", "session.ts"]],
  ["says that somebody is in", /\.take\("admit"\)/, ["authenticate.ts"]],
  ["ends processes", /\.killAll\(/, ["revoke.ts"]],
  ["ends a connection for a reason", /\.take\("end", /, ["revoke.ts"]],
  ["decides", /\bauthorize\(serverContext/, ["authorize.ts", "permit-context.ts"]],
  ["stores an event", /\baudit\.record\(/, ["evidence.ts"]],
])("one place %s", (_what, pattern, files) => {
  expect(filesWith(pattern)).toEqual([...files].sort());
});

test("node:net is there for what reads addresses, and opens nothing", () => {
  const imports = sources.flatMap(({ code }) => [...code.matchAll(/import (.*) from "node:net"/g)]);
  expect(imports.map(([, names]) => names)).toEqual(["{ isIP }"]);
});

/** Functions that begin something, and the permit that each has to be given. */
test.each([
  [
    "session-program.ts",
    /startSessionProgram\(\s*context: ConnectionContext,\s*\{[^}]*\}[^}]*\}: SessionPermit,/,
  ],
  ["forward-helpers.ts", /async open\(\{ facts \}: ForwardPermit</],
  ["forward.ts", /async #dial\(\s*permit: ForwardPermit</],
  ["forward.ts", /#join\(\s*permit: ForwardPermit,/],
])("%s begins nothing without a permit", (file, pattern) => {
  expect(sources.find(({ name }) => name === file)?.code).toMatch(pattern);
});

test("whoever tells a client that it is in has been admitted, or answers a query that decides nothing", () => {
  const accepts = sources.flatMap(({ name, code }) =>
    [...code.matchAll(/(?:context|request)\.accept\(\)/g)].map(([call]) => `${name}: ${call}`),
  );
  expect(accepts).toEqual(["authenticate.ts: request.accept()", "authenticate.ts: context.accept()"]);
});
