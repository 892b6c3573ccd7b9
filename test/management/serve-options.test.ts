import { describe, expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { checkClusterListen } from "../../src/management/serve-options.ts";

const databaseUrl = "postgres://qf@db.example.com/qf";

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
  ])("takes $name", ({ options, want }) => {
    expect(checkClusterListen(options)).toEqual(want);
  });

  test.each([
    { name: "SQLite, which has no other process", options: { clusterListen: "10.0.0.5:8081" } },
    { name: "every address, which names none", options: { databaseUrl, clusterListen: "0.0.0.0:8081" } },
    { name: "the same in IPv6", options: { databaseUrl, clusterListen: "[::]:8081" } },
    { name: "no port", options: { databaseUrl, clusterListen: "10.0.0.5" } },
    { name: "a port above 65535", options: { databaseUrl, clusterListen: "10.0.0.5:70000" } },
  ])("refuses $name", ({ options }) => {
    let code = "none";
    try {
      checkClusterListen(options);
    } catch (cause) {
      code = isQfError(cause) ? cause.code : "other";
    }
    expect(code).toBe("ERR_USAGE");
  });
});
