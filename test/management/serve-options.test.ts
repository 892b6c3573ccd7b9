import { describe, expect, test } from "bun:test";
import { isQfError, QfError } from "../../src/base/errors.ts";
import { checkClusterListen, checkRelayListen } from "../../src/management/serve-options.ts";

const databaseUrl = "postgres://qf@db.example.com/qf";

test("the relay takes plain connections only where that was asked for, at HOST:PORT", () => {
  expect(checkRelayListen({})).toBeNull();
  expect(checkRelayListen({ relayListen: "[::]:22023" })).toEqual({ hostname: "::", port: 22_023 });
  for (const relayListen of ["22023", "0.0.0.0", "0.0.0.0:70000", "none"]) {
    expect(() => checkRelayListen({ relayListen })).toThrow(QfError);
  }
});

describe("checkClusterListen", () => {
  test.each([
    { name: "SQLite: nowhere", options: {}, want: null },
    {
      name: "PostgreSQL: this machine only",
      options: { databaseUrl },
      want: { hostname: "127.0.0.1", port: 0 },
    },
    { name: "none: nowhere", options: { databaseUrl, clusterListen: "none" }, want: null },
    {
      name: "an address of this machine",
      options: { databaseUrl, clusterListen: "10.0.0.5:8081" },
      want: { hostname: "10.0.0.5", port: 8081 },
    },
    {
      name: "IPv6",
      options: { databaseUrl, clusterListen: "[fd00::5]:0" },
      want: { hostname: "fd00::5", port: 0 },
    },
    {
      name: "another address for the others, by whatever way it arrives",
      options: { databaseUrl, clusterListen: "0.0.0.0:8081", clusterAdvertise: "qf-1.example.com:9000" },
      want: { hostname: "0.0.0.0", port: 8081, advertise: "qf-1.example.com:9000" },
    },
    {
      name: "the same in IPv6",
      options: { databaseUrl, clusterListen: "[::]:0", clusterAdvertise: "[2001:db8::5]:9000" },
      want: { hostname: "::", port: 0, advertise: "[2001:db8::5]:9000" },
    },
  ])("takes $name", ({ options, want }) => {
    expect(checkClusterListen(options)).toEqual(want);
  });

  test.each([
    { name: "SQLite, which has no other process", options: { clusterListen: "10.0.0.5:8081" } },
    { name: "every address, which names none", options: { databaseUrl, clusterListen: "0.0.0.0:8081" } },
    { name: "the same in IPv6", options: { databaseUrl, clusterListen: "[::]:8081" } },
    { name: "no port", options: { databaseUrl, clusterListen: "10.0.0.5" } },
    { name: "a port above 65535", options: { databaseUrl, clusterListen: "10.0.0.5:70000" } },
    ...[
      { name: "an address for others with SQLite", databaseUrl: undefined, clusterListen: undefined },
      { name: "one that arrives nowhere", databaseUrl, clusterListen: undefined },
      { name: "one that arrives at none", databaseUrl, clusterListen: "none" },
    ].map(({ name, ...rest }) => ({ name, options: { ...rest, clusterAdvertise: "203.0.113.5:8081" } })),
    ...["0.0.0.0:8081", "[::]:8081", "203.0.113.5:0", "203.0.113.5", "a b:1", `${"x".repeat(300)}:1`, ""].map(
      (clusterAdvertise) => ({
        name: `${clusterAdvertise.slice(0, 20)} for the others`,
        options: { databaseUrl, clusterListen: "0.0.0.0:8081", clusterAdvertise },
      }),
    ),
  ])("refuses $name", ({ options }) => {
    let code = "none";
    try {
      checkClusterListen(options as Parameters<typeof checkClusterListen>[0]);
    } catch (cause) {
      code = isQfError(cause) ? cause.code : "other";
    }
    expect(code).toBe("ERR_USAGE");
  });
});
