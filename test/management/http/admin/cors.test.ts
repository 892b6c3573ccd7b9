import { expect, test } from "bun:test";
import { checkCorsOrigins } from "../../../../src/management/serve-options.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { codeThrownBy } from "../../../support/failure.ts";

const ADMIN_PAGE = "https://admin.example.com";
const preflight = (api: TestApi, origin: string) =>
  api.send("OPTIONS", "/api/groups", {
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
const post = (api: TestApi, origin: string, name = "g") =>
  api.send("POST", "/api/groups", {
    headers: { origin, authorization: `Token ${api.owner}`, "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });

test("no page of another origin may call the API unless it is named", async () => {
  const api = await TestApi.open();
  const { status, headers } = await preflight(api, ADMIN_PAGE);
  expect([status, headers.get("allow")]).toEqual([204, "GET, POST, OPTIONS"]);
  expect(headers.get("access-control-allow-origin")).toBeNull();
  const refused = await post(api, ADMIN_PAGE);
  expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([403, null]);
});

test("a page of an origin that is named may, with a token of its own and no cookie", async () => {
  const api = await TestApi.open({ corsOrigins: new Set([ADMIN_PAGE]) });
  const { status, headers } = await preflight(api, ADMIN_PAGE);
  expect(status).toBe(204);
  expect(headers.get("access-control-allow-origin")).toBe(ADMIN_PAGE);
  expect(headers.get("access-control-allow-methods")).toBe("GET, POST, OPTIONS");
  expect(headers.get("access-control-allow-headers")).toBe("Authorization, Content-Type");
  expect(headers.get("access-control-allow-credentials")).toBeNull();
  expect(headers.get("vary")).toContain("Origin");
  const made = await post(api, ADMIN_PAGE);
  expect([made.status, made.headers.get("access-control-allow-origin")]).toEqual([200, ADMIN_PAGE]);
  expect(made.headers.get("access-control-expose-headers")).toContain("X-Total-Count");
  // It reads refusals as well, so that it can say why.
  const twice = await post(api, ADMIN_PAGE);
  expect([twice.status, twice.headers.get("access-control-allow-origin")]).toEqual([409, ADMIN_PAGE]);
});

test.each([
  "https://evil.example",
  "https://admin.example.com.evil.example",
  "http://admin.example.com",
  "null",
])("%s is not one that is named", async (origin) => {
  const api = await TestApi.open({ corsOrigins: new Set([ADMIN_PAGE]) });
  expect((await preflight(api, origin)).headers.get("access-control-allow-origin")).toBeNull();
  expect((await post(api, origin)).status).toBe(403);
});

test("OPTIONS tells what a path takes, and needs no token", async () => {
  const api = await TestApi.open();
  const { status, headers } = await api.send("OPTIONS", "/api/users/current");
  expect([status, headers.get("allow")]).toEqual([204, "GET, OPTIONS"]);
  expect((await api.send("OPTIONS", "/api/nothing")).status).toBe(404);
});

test.each([
  "*",
  "https://admin.example.com/",
  "https://admin.example.com/x",
  "admin.example.com",
  "null",
  "",
])("--api-cors-origin %j is refused at start", (origin) => {
  expect(codeThrownBy(() => checkCorsOrigins([origin]))).toBe("ERR_USAGE");
});

test("--api-cors-origin takes origins as browsers write them", () => {
  const origins = ["https://admin.example.com", "http://localhost:3000"];
  expect([...checkCorsOrigins(origins)]).toEqual(origins);
});
