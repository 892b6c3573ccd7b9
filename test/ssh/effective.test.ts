/** `qf ssh -G` beside ssh(1) with the same options: the lines that both have are the same. */
import { expect, test } from "bun:test";
import { parseSshArgv } from "../../src/ssh/argv.ts";
import { effectiveOptions } from "../../src/ssh/effective.ts";

function ours(...args: string[]): string[] {
  const invocation = parseSshArgv(args);
  if (typeof invocation === "string") throw new Error(invocation);
  return effectiveOptions(invocation, "ada").trimEnd().split("\n");
}

/** Lines about keys of which ssh(1) says more than one word, or which are always the same here. */
const OURS_ALONE = /^(?:stricthostkeychecking|sendenv|setenv|host|hostname|user) /;

test.each([
  [["web1"]],
  [["-p", "22022", "-n", "-N", "web1"]],
  [["-L", "8080:[::1]:80", "-L", "/tmp/s:web:80", "-D", "1080", "-R", "90:db:9", "web1"]],
  [["-R", "1081", "-L", "*:80:a:1", "-R", "/run/a:/run/b", "web1"]],
  [["-A", "-tt", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-e", "none", "web1"]],
  [["-T", "-o", "ConnectTimeout=3", "-o", "ExitOnForwardFailure=yes", "web1"]],
  [["-q", "web1"]],
  [["-vv", "web1"]],
])("with %j each line of ours is one of OpenSSH's", async (args) => {
  const child = Bun.spawn(["ssh", "-F", "none", "-G", ...args], { stdout: "pipe", stderr: "ignore" });
  const theirs = new Set((await new Response(child.stdout).text()).split("\n"));
  const own = ours("-G", ...args).filter((line) => !OURS_ALONE.test(line));
  expect(own.filter((line) => !theirs.has(line))).toEqual([]);
  expect(own.length).toBeGreaterThan(10);
});

test("whom it would reach as whom, and what it would send", () => {
  const lines = ours("-G", "-o", "SetEnv=A=b", "-o", "SendEnv=GIT_*", "-l", "deploy", "Web1");
  for (const line of ["host web1", "hostname web1", "user deploy", "setenv A=b", "sendenv GIT_*"]) {
    expect(lines).toContain(line);
  }
  expect(ours("-G", "web1")).toContain("user ada");
});
