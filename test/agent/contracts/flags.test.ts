import { describe, expect, test } from "bun:test";
import {
  changedFlags,
  type GivenFlags,
  liveFlags,
  parseGivenFlags,
  reportedFlags,
  resolveFlags,
} from "../../../src/agent/contracts/flags.ts";
import { isQfError } from "../../../src/base/errors.ts";

const URL_FLAG = { managementUrl: "https://qf.example.com" };

describe("parseGivenFlags", () => {
  test.each([
    { name: "a flag that is there", given: { "allow-server-ssh": true }, env: {}, want: { sshServer: true } },
    { name: "=false", given: { "allow-server-ssh": "false" }, env: {}, want: { sshServer: false } },
    { name: "the environment twin", given: {}, env: { QF_ALLOW_SERVER_SSH: "1" }, want: { sshServer: true } },
    {
      name: "a flag before its twin",
      given: { "allow-server-ssh": false },
      env: { QF_ALLOW_SERVER_SSH: "1" },
      want: { sshServer: false },
    },
    { name: "an empty variable as not set", given: {}, env: { QF_ALLOW_SERVER_SSH: "" }, want: {} },
    {
      name: "--disable-ssh-auth as its opposite",
      given: { "disable-ssh-auth": true },
      env: {},
      want: { sshAuth: false },
    },
    {
      name: "several addresses",
      given: { advertise: ["203.0.113.1:22022", "a.example:22,[2001:db8::1]:22"] },
      env: {},
      want: { advertise: ["203.0.113.1:22022", "a.example:22", "[2001:db8::1]:22"] },
    },
    {
      name: "seconds",
      given: { "ssh-jwt-cache-ttl": "3600" },
      env: {},
      want: { sshJwtCacheTtlSeconds: 3600 },
    },
    { name: "an empty text as off", given: { "pin-issuer": "" }, env: {}, want: { pinIssuer: null } },
    { name: "a limit", given: { "ssh-max-sessions": "3" }, env: {}, want: { sshMaxSessions: 3 } },
    {
      name: "a limit's twin",
      given: {},
      env: { QF_SSH_LOGIN_GRACE_TIME: "120" },
      want: { sshLoginGraceTimeSeconds: 120 },
    },
    {
      name: "an empty limit as its default",
      given: { "ssh-max-sessions": "", "ssh-per-source-penalties": "" },
      env: {},
      want: { sshMaxSessions: null, sshPerSourcePenalties: null },
    },
    {
      name: "penalties and who is exempt",
      given: {
        "ssh-per-source-penalties": "authfail:1m max:1h",
        "ssh-per-source-penalty-exempt-list": "10.0.0.0/8, 2001:db8::1",
      },
      env: {},
      want: {
        sshPerSourcePenalties: "authfail:1m max:1h",
        sshPerSourcePenaltyExemptList: ["10.0.0.0/8", "2001:db8::1"],
      },
    },
    { name: "nothing", given: {}, env: {}, want: {} },
  ] as { name: string; given: GivenFlags; env: Record<string, string>; want: object }[])(
    "takes $name",
    ({ given, env, want }) => {
      expect(parseGivenFlags(given, env)).toEqual(want);
    },
  );

  test.each([
    {
      name: "a boolean that is none",
      given: { "allow-server-ssh": "maybe" },
      env: {},
      says: "--allow-server-ssh",
    },
    {
      name: "a variable that is no boolean",
      given: {},
      env: { QF_ENABLE_SSH_ROOT: "Y" },
      says: "QF_ENABLE_SSH_ROOT",
    },
    {
      name: "a name of Object's",
      given: { "enable-ssh-root": "toString" },
      env: {},
      says: "--enable-ssh-root",
    },
    { name: "an address without port", given: { listen: "0.0.0.0" }, env: {}, says: "HOST:PORT" },
    { name: "a port above 65535", given: { listen: "0.0.0.0:70000" }, env: {}, says: "65535" },
    { name: "a URL that is none", given: { "management-url": "qf" }, env: {}, says: "--management-url" },
    {
      name: "a URL with a password",
      given: { "management-url": "https://a:b@c" },
      env: {},
      says: "credentials",
    },
    { name: "a host name that is none", given: { name: "Not A Name" }, env: {}, says: "--name" },
    { name: "negative seconds", given: { "ssh-jwt-cache-ttl": "-1" }, env: {}, says: "seconds" },
    { name: "a limit out of its bounds", given: { "ssh-max-auth-tries": "0" }, env: {}, says: "at least 1" },
    { name: "a limit that is no number", given: { "ssh-max-channels": "many" }, env: {}, says: "whole" },
    {
      name: "penalties in no grammar",
      given: { "ssh-per-source-penalties": "authfail=5" },
      env: {},
      says: "--ssh-per-source-penalties",
    },
    {
      name: "a range that is none",
      given: { "ssh-per-source-penalty-exempt-list": "10.0.0.0/40" },
      env: {},
      says: "192.0.2.0/24",
    },
    { name: "seconds with a unit", given: { "ssh-jwt-cache-ttl": "1h" }, env: {}, says: "seconds" },
  ] as { name: string; given: GivenFlags; env: Record<string, string>; says: string }[])(
    "refuses $name on one line",
    ({ given, env, says }) => {
      const failure = (() => {
        try {
          return parseGivenFlags(given, env);
        } catch (error) {
          return error;
        }
      })();
      expect(isQfError(failure, "ERR_USAGE")).toBe(true);
      expect((failure as Error).message).toContain(says);
      expect((failure as Error).message).not.toContain("\n");
    },
  );
});

describe("resolveFlags", () => {
  test("has everything off by default, but sign-in by certificate", () => {
    const flags = resolveFlags(URL_FLAG, undefined);
    const on = Object.entries(flags).filter(([, value]) => value === true);
    expect(on.map(([key]) => key)).toEqual(["sshAuth"]);
    expect(flags.listen).toBe("0.0.0.0:22022");
  });

  test("keeps what was stored unless it is given anew", () => {
    const stored = resolveFlags({ ...URL_FLAG, sshServer: true, sshRoot: true }, undefined);
    const flags = resolveFlags({ sshRoot: false }, stored);
    expect([flags.sshServer, flags.sshRoot]).toEqual([true, false]);
    expect(changedFlags(stored, flags)).toEqual(["sshRoot"]);
  });

  test.each([
    { name: "no management server", given: {}, says: "management server" },
    {
      name: "a pin without its parts",
      given: { ...URL_FLAG, requireIdpBinding: true },
      says: "--pin-issuer",
    },
    {
      name: "a pin without its audience",
      given: { ...URL_FLAG, requireIdpBinding: true, pinIssuer: "https://idp.example.com" },
      says: "--pin-audience",
    },
    {
      name: "a pin without its issuer",
      given: { ...URL_FLAG, requireIdpBinding: true, pinAudience: "qufabric" },
      says: "--pin-issuer",
    },
  ])("refuses $name", ({ given, says }) => {
    expect(() => resolveFlags(given, undefined)).toThrow(says);
  });
});

describe("liveFlags", () => {
  const before = resolveFlags({ ...URL_FLAG, name: "web1" }, undefined);

  test("changes what a running agent may change", () => {
    const { flags, changed } = liveFlags({ sshRoot: true, managementUrl: "https://qf.example.com/" }, before);
    expect([flags.sshRoot, flags.managementUrl, changed]).toEqual([true, before.managementUrl, ["sshRoot"]]);
  });

  test.each([
    ["another management", { managementUrl: "https://evil.example.com" }],
    ["another name", { name: "web2" }],
    ["no name", { name: null }],
  ])("gives a running agent %s never", (_name, change) => {
    try {
      liveFlags(change, before);
    } catch (error) {
      expect(isQfError(error, "ERR_CONFLICT")).toBe(true);
      return;
    }
    throw new Error("it was taken");
  });
});

describe("reportedFlags", () => {
  const NAMES = [
    ...(["sshServer", "sshRoot", "sshSftp", "sshLocalForwarding", "sshRemoteForwarding"] as const),
    ...(["sshAuth", "offlineLogins"] as const),
  ];
  test.each([...NAMES])("says of %s what it is", (name) => {
    for (const isOn of [true, false]) {
      const flags = resolveFlags({ ...URL_FLAG, [name]: isOn }, undefined);
      const reported = reportedFlags(flags, { privileged: true, ownUser: "root" });
      expect(reported[name]).toBe(isOn);
      const others = NAMES.filter((other) => other !== name);
      expect(others.filter((other) => reported[other])).toEqual(
        others.filter((other) => other === "sshAuth"),
      );
    }
  });

  test("says as whom the agent runs", () => {
    const reported = reportedFlags(resolveFlags(URL_FLAG, undefined), { privileged: false, ownUser: "web" });
    expect(reported).toMatchObject({ privileged: false, ownUser: "web", requireIdpBinding: false });
  });
});
