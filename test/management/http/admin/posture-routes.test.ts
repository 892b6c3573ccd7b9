import { beforeEach, describe, expect, test } from "bun:test";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const VERSION = { nb_version_check: { min_version: "0.1" } };
const make = (body: object) =>
  api.call("POST", "/api/posture-checks", { name: "c", description: "", ...body });

describe("a check that checks nothing, or cannot be judged here, is refused", () => {
  test.each<[object, string]>([
    [{}, "checks is empty"],
    [{ checks: {} }, "checks is empty"],
    [{ checks: { os_version_check: {} } }, "checks.os_version_check names no system"],
    [{ checks: { os_version_check: { linux: null } } }, "checks.os_version_check names no system"],
    [{ checks: { peer_network_range_check: { ranges: [], action: "deny" } } }, "ranges must be at least 1"],
    [
      { checks: { geo_location_check: { locations: [], action: "deny" } } },
      "checks.geo_location_check is not available: this server does not know where addresses are",
    ],
    [{ checks: { ...VERSION, process_check: { processes: [] } } }, "checks.process_check is not available"],
    [{ checks: { ...VERSION, disk_check: { encrypted: true } } }, 'unknown field "disk_check" in checks'],
    [{ checks: { nb_version_check: { min_version: "0.1", max: 2 } } }, 'unknown field "max"'],
  ])("%j", async (body, says) => {
    const reply = await make(body);
    expect([reply.status, reply.body.message]).toEqual([422, expect.stringContaining(says)]);
    expect((await api.call("GET", "/api/posture-checks")).body).toEqual([]);
  });
});

test("what is null beside a check is none", async () => {
  const checks = { ...VERSION, os_version_check: null, geo_location_check: null, process_check: null };
  expect((await make({ checks, description: null })).body).toMatchObject({
    checks: VERSION,
    description: "",
  });
});

test.each(["c", "C", "ｃ"])("a second check called %s is refused, made or renamed", async (name) => {
  await make({ checks: VERSION });
  expect((await make({ name, checks: VERSION })).status).toBe(422);
  const other = (await make({ name: "other", checks: VERSION })).body;
  const renamed = await api.call("PUT", `/api/posture-checks/${other.id}`, { name, checks: VERSION });
  expect(renamed.status).toBe(422);
});

test("a check keeps its own name when it is changed, and what was read is written back", async () => {
  const made = (await make({ checks: { nb_version_check: { min_version: "v0.2.0" } } })).body;
  expect((await api.call("PUT", `/api/posture-checks/${made.id}`, made)).body).toEqual(made);
});
