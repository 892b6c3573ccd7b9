import { beforeEach, expect, test } from "bun:test";
import { ADMIN_ROUTES } from "../../../../src/management/http/admin/app.ts";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

test("the document describes every route, with bodies and answers", async () => {
  const { status, body } = await api.send("GET", "/api/openapi.json");
  expect(status).toBe(200);
  expect(body.openapi).toBe("3.1.0");
  for (const route of ADMIN_ROUTES) {
    const operation = body.paths[route.path.replace(/:(\w+)/g, "{$1}")]?.[route.method];
    expect(operation.summary).toBe(route.summary);
    expect(operation.requestBody !== undefined).toBe(route.body !== undefined);
    expect(operation.responses[200].content["application/json"].schema).toBeDefined();
  }
});

test("every reference leads somewhere", async () => {
  const { body } = await api.send("GET", "/api/openapi.json");
  const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  expect(references.length).toBeGreaterThan(20);
  for (const [, name] of references) expect(body.components.schemas).toHaveProperty(String(name));
});

test("what is strict is strict in the document too, and what ignores unknown fields says so", async () => {
  const { schemas } = (await api.send("GET", "/api/openapi.json")).body.components;
  expect(schemas.PolicyUpdate.additionalProperties).toBe(false);
  expect(schemas.PolicyUpdate.properties.rules.items.properties.ssh.additionalProperties).toBe(false);
  expect(schemas.GroupRequest.additionalProperties).toBeUndefined();
});

/** Paths and methods of NetBird's public API that existing tools speak. */
const REFERENCE = [
  ["/api/accounts", "get"],
  ["/api/accounts/{accountId}", "delete put"],
  ["/api/users", "get post"],
  ["/api/users/{userId}", "put delete"],
  ["/api/users/{userId}/tokens", "get post"],
  ["/api/users/{userId}/tokens/{tokenId}", "get delete"],
  ["/api/users/current", "get"],
  ["/api/peers", "get"],
  ["/api/peers/{peerId}", "get put delete"],
  ["/api/peers/{peerId}/accessible-peers", "get"],
  ["/api/setup-keys", "get post"],
  ["/api/setup-keys/{keyId}", "get put delete"],
  ["/api/groups", "get post"],
  ["/api/groups/{groupId}", "get put delete"],
  ["/api/policies", "get post"],
  ["/api/policies/{policyId}", "get put delete"],
  ["/api/events/audit", "get"],
  ["/api/posture-checks", "get post"],
  ["/api/posture-checks/{postureCheckId}", "get put delete"],
] as const;

test.each(REFERENCE)("%s takes %s, as NetBird's does", async (path, methods) => {
  const { body } = await api.send("GET", "/api/openapi.json");
  const shape = (one: string): string => one.replace(/\{\w+\}/g, "{}");
  const served = Object.keys(body.paths).find((ours) => shape(ours) === shape(path));
  for (const method of methods.split(" ")) expect(body.paths[served ?? ""]).toHaveProperty(method);
});
