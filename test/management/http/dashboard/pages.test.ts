import { beforeAll, expect, test } from "bun:test";
import { createDashboardPages } from "../../../../src/management/http/dashboard/pages.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { executablePath } from "../../../support/executable.ts";
import { ORIGIN } from "../../../support/management.ts";
import { aSession } from "../../../support/web-session.ts";

beforeAll(async () => void (await executablePath()), 120_000);

async function pageAt(path: string, headers: Record<string, string>, api: TestApi, dashboardOrigin = ORIGIN) {
  const pages = createDashboardPages({ store: api.management.store, origin: ORIGIN, dashboardOrigin });
  const request = new Request(ORIGIN + path, { headers: { accept: "text/html", ...headers } });
  return pages(request, new URL(request.url).pathname);
}

test("whoever is not signed in is led to signing in, and back to the same address", async () => {
  const api = await TestApi.open();
  const text = await (await pageAt("/machines?q=web", {}, api))?.text();
  expect(text).toContain("/login/dashboard?to=%2Fmachines%3Fq%3Dweb");
  expect(text).not.toContain("<script");
});

test("whoever is signed in gets the dashboard, at every address of it", async () => {
  const api = await TestApi.open();
  const { secret } = await aSession(api, "user");
  const cookie = `__Host-qf_session=${secret}`;
  for (const path of ["/", "/machines", "/machines/abc"]) {
    const text = await (await pageAt(path, { cookie }, api))?.text();
    expect(text).toMatch(/<script type="module"/);
  }
});

test.each(["/nowhere", "/assets/nowhere.js", "/machinesx"])("there is nothing at %s", async (path) => {
  expect(await pageAt(path, {}, await TestApi.open())).toBeNull();
});

test("a program gets no page", async () => {
  expect(await pageAt("/machines", { accept: "application/json" }, await TestApi.open())).toBeNull();
});

test("where the dashboard has an origin of its own, the public one has none of it and leads there", async () => {
  const api = await TestApi.open();
  const { secret } = await aSession(api, "user");
  const headers = { cookie: `__Host-qf_session=${secret}` };
  const own = "https://admin.example.com";
  const first = await (await pageAt("/", headers, api, own))?.text();
  expect(first).toContain(`href="${own}/login/dashboard"`);
  expect(first).not.toContain("<script");
  const machines = await pageAt("/machines?q=web", headers, api, own);
  expect([machines?.status, machines?.headers.get("location")]).toEqual([303, `${own}/machines?q=web`]);
  expect(await pageAt("/assets/main.js", headers, api, own)).toBeNull();
});
