/** What people see of `qf proxy connect` where ssh(1) gives it /dev/null as standard error. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openProxyLab, PEER, type Person, type ProxyLab } from "../support/proxy-lab.ts";

const MACHINE_HAS_SSHD = existsSync("/usr/sbin/sshd") && process.getuid?.() === 0;
const PAGE = /^http:\/\/127\.0\.0\.1:\d+\/approve-me\r?$/gm;
const SENTENCE = "User is not authorized to access this peer";
const ERROR = new RegExp(`^qf: error: ${SENTENCE}\r?$`, "gm");

describe.skipIf(!MACHINE_HAS_SSHD)("with ControlPersist", () => {
  let lab: ProxyLab;
  beforeAll(async () => {
    lab = await openProxyLab();
  }, 60_000);
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  /** Where ssh's standard error leads, as a shell line around `"$@"`, and how it is read afterwards. */
  const sinks = [
    ["a socket", '"$@"'],
    ["a pipe", '"$@" 2>&1 >/dev/null | cat >&2'],
    ["a file", 'echo before >"$OUT"; "$@" 2>>"$OUT"; cat "$OUT" >&2'],
    ["a terminal", 'script -qec "$*" /dev/null >&2 </dev/null'],
  ] as const;

  for (const [what, line] of sinks) {
    test(`the page to sign in at is said once when ssh's standard error is ${what}`, async () => {
      const person = lab.person(`page-${what.replaceAll(" ", "-")}`, 60);
      const { stderr } = await throughMaster(person, line);
      expect(stderr.match(PAGE) ?? [stderr]).toHaveLength(1);
      if (what === "a file") expect(stderr).toStartWith("before\n");
    }, 60_000);

    test(`a denial is said once when ssh's standard error is ${what}`, async () => {
      const person = lab.person(`no-${what.replaceAll(" ", "-")}`, 60);
      const denied = {
        outcome: "denied",
        reason: "peer_not_authorized",
        sentence: SENTENCE,
        receipt: "r".repeat(20),
      };
      lab.say({ denied });
      const { stderr } = await throughMaster(person, line);
      lab.say({ denied: undefined });
      expect(stderr.match(ERROR) ?? [stderr]).toHaveLength(1);
    }, 60_000);
  }

  test("nothing is said to a person who sent it to /dev/null", async () => {
    const person = lab.person("quiet", 60);
    const { stdout, stderr } = await throughMaster(person, '"$@" 2>/dev/null');
    expect(stdout + stderr).toBe("in\n");
  }, 60_000);

  test("a caller that is no ssh keeps its standard error to itself", async () => {
    const person = lab.person("other", 60);
    const line = `sh -c '"$0" proxy connect ${PEER} 443 2>/dev/null; exit 0' "$QF"`;
    const { stderr } = await person.run(["sh", "-c", line], { env: { QF: lab.executable } });
    expect(stderr).toBe("");
  }, 60_000);

  async function throughMaster(person: Person, line: string) {
    const control = join(person.home, "control");
    const options = ["-F", person.configPath, "-o", `ControlPath=${control}`];
    const persist = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60"];
    const words = ["ssh", ...options, ...persist, PEER, "echo", "in"];
    const out = join(person.home, "stderr");
    const result = await person.run(["sh", "-c", line, "sh", ...words], { env: { OUT: out } });
    await person.run(["ssh", ...options, "-O", "exit", PEER]);
    if (existsSync(out)) expect(readFileSync(out, "utf8")).not.toContain("\0");
    return result;
  }
});
