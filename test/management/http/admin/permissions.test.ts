import { beforeEach, expect, test } from "bun:test";
import { ROLES } from "../../../../src/management/db/schema/accounts.ts";
import { permissionsOf } from "../../../../src/management/http/admin/permissions.ts";
import type { Role } from "../../../../src/wire/admin-api.ts";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

test.each(ROLES.map((role) => [role]))("what %s is told it may do is what it may do", async (role) => {
  const { token } = await api.tokenAs(role);
  const { permissions } = (await api.call("GET", "/api/users/current", undefined, token)).body;
  expect(permissions).toEqual(permissionsOf(role));
  for (const [module, path] of [
    ["groups", "/api/groups"],
    ["policies", "/api/policies"],
    ["setup_keys", "/api/setup-keys"],
    ["accounts", "/api/accounts"],
    ["events", "/api/events/audit"],
  ] as const) {
    const read = await api.call("GET", path, undefined, token);
    expect([module, read.status === 200]).toEqual([module, permissions.modules[module].read]);
  }
  const written = await api.call("POST", "/api/groups", { name: `by ${role}` }, token);
  expect(written.status === 200).toBe(permissions.modules.groups.create);
});

test("nobody may do anything with what is not here", () => {
  for (const role of ROLES) {
    for (const module of ["dns", "networks", "routes", "services", "agent_network"]) {
      expect(Object.values(permissionsOf(role).modules[module] ?? {})).toEqual([false, false, false, false]);
    }
  }
});

test.each<[Role, Role]>([
  ["network_admin", "auditor"],
  ["billing_admin", "user"],
])("NetBird's %s may what %s may, and no more", async (theirs, ours) => {
  expect(permissionsOf(theirs)).toEqual(permissionsOf(ours));
});

test.each(["network_admin", "billing_admin"] as const)("%s changes nothing of anybody's", async (role) => {
  const { token, id } = await api.tokenAs(role);
  const all = await api.groupAll();
  const rule = { name: "", enabled: true, action: "accept", bidirectional: false, protocol: "all" };
  const policy = { name: "in", enabled: true, rules: [{ ...rule, sources: [all], destinations: [all] }] };
  const request = { role: "owner", auto_groups: [], is_blocked: false };
  for (const [method, path, body] of [
    ["POST", "/api/policies", policy],
    ["POST", "/api/groups", { name: "g" }],
    ["POST", "/api/setup-keys", { name: "k", type: "reusable", expires_in: 0, usage_limit: 0 }],
    ["PUT", `/api/users/${id}`, request],
    ["DELETE", `/api/users/${api.ownerId}`, undefined],
  ] as const) {
    const reply = await api.call(method, path, body, token);
    expect([path, reply.status, reply.body.error]).toEqual([path, 403, "ERR_FORBIDDEN"]);
  }
});
