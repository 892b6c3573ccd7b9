/** `qf ping`: by the key of the device alone, over both paths, and where it is refused. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Lab, LabAgent, LabDevice, Person } from "../support/lab.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe("qf ping", () => {
  let setUp: SetUp;
  let lab: Lab;
  let web: LabAgent;
  let devs: string;
  let ada: Person;
  let laptop: LabDevice;

  beforeAll(async () => {
    // Signs in and keeps nothing: no login is cached from here on.
    setUp = await openSetUp({
      machines: { web1: [], hidden1: ["--listen", "none"], silent1: ["--allow-server-ssh=false"] },
      login: 0,
    });
    ({ lab, devs, person: ada, agent: web, device: laptop } = setUp);
    await lab.startAgent("apart1");
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const ping = async (...args: string[]) => {
    // A browser that opened would be a sign-in.
    const result = await laptop.qf(["ping", "-c", "3", "--json", ...args], { env: { BROWSER: "false" } });
    return { ...result, report: result.stdout === "" ? undefined : JSON.parse(result.stdout) };
  };

  test("measures the direct path, without a login", async () => {
    const { exitCode, stderr, report } = await ping("web1");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const [endpoint] = (await web.status()).sshServer.listen;
    expect(report).toMatchObject({
      peer: { name: "web1.qf.internal" },
      path: "direct",
      endpoint,
      why: "it answered at once",
      sent: 3,
      received: 3,
      agent: { connected: true, mapAgeSeconds: expect.any(Number), version: expect.any(String) },
      ssh: "on",
      error: null,
    });
    const { min, median, max } = report.roundTripMs;
    expect([min, median, max]).toEqual([min, median, max].sort((a, b) => a - b));
    expect(min).toBeGreaterThan(0);
    expect(Math.abs(report.clockOffsetMs)).toBeLessThan(1_000);
    expect((await web.status()).sshServer.sessions).toEqual([]);
  });

  test("measures the path through the relay, and says why it is that one", async () => {
    const { exitCode, report } = await ping("hidden1.qf.internal");
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ path: "relay", endpoint: null, received: 3, ssh: "on" });
    expect(report.why).toBe("no direct address of the peer is known");
    expect(report.roundTripMs.min).toBeGreaterThan(0);
  });

  test("puts it into words for people", async () => {
    const { exitCode, stdout, stderr } = await laptop.qf(["ping", "-v", "-c", "2", "web1"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^answer of web1\.qf\.internal directly at \S+: [\d.]+ ms\n/);
    expect(stdout).toMatch(/\npath {8}direct, \S+ after [\d.]+ ms: it answered at once\nanswers {5}2 of 2\n/);
    expect(stdout).toMatch(/\nround trip {2}min [\d.]+ ms, median [\d.]+ ms, max [\d.]+ ms\nclock {7}/);
    expect(stdout).toMatch(/\nagent {7}connected to management, version .*\nssh {9}on\n$/);
    expect(stderr).toContain("qf: debug: connected directly to ");
  });

  test("says that a machine takes no SSH", async () => {
    const { exitCode, report } = await ping("silent1");
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ path: null, ssh: "off", agent: { connected: true } });
    expect(report.error).toMatchObject({ message: "SSH server not detected" });
    const { stderr } = await laptop.qf(["ping", "silent1"]);
    expect(stderr).toBe(
      "qf: error: SSH server not detected\nqf: hint: run qf agent up --allow-server-ssh on silent1.qf.internal\n",
    );
  });

  test("answers the same for a machine that no rule opens and for one that is not there", async () => {
    const [apart, none] = [await ping("apart1"), await ping("apart2")];
    expect(apart).toMatchObject({ exitCode: 1, stdout: "" });
    expect(apart.stderr).toStartWith("qf: error: No policy lets this device reach this peer\nqf: hint: ");
    expect(none).toEqual(apart);
  });

  test("is refused as soon as the rules change", async () => {
    await lab.setGroups(ada, []);
    expect((await ping("web1")).stderr).toStartWith(
      "qf: error: No policy lets this device reach this peer\n",
    );
    await lab.setGroups(ada, [devs]);
    expect((await ping("web1")).exitCode).toBe(0);
  });

  test("goes by what is known from before while management is away", async () => {
    const desk = lab.device(ada, "desk");
    await desk.login();
    // A certificate is made, whatever becomes of the session.
    await desk.ssh(["nobody@web1", "true"]);
    await lab.management?.stop();
    const { exitCode, stdout, stderr } = await desk.qf(["ping", "-c", "1", "--json", "web1"]);
    const unknown = await desk.qf(["ping", "hidden1"]);
    await lab.serveManagement();
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      path: "direct",
      ssh: "on",
      agent: { connected: expect.any(Boolean) },
    });
    expect(stderr).toMatch(
      /^qf: warning: cannot reach management at \S+: .*; going by what is known of web1\./,
    );
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toStartWith("qf: error: cannot reach management at ");
  }, 30_000);

  test("asks a device that was never registered to sign in once", async () => {
    const bare = lab.device(ada, "bare");
    const { exitCode, stderr } = await bare.qf(["ping", "web1"]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `qf: error: this device is not registered at ${lab.url}\nqf: hint: run qf login once\n`,
    );
  });
});
