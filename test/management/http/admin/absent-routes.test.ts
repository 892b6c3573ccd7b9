import { beforeEach, expect, test } from "bun:test";
import { absentRoutes } from "../../../../src/management/http/admin/absent-routes.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aPeerOf } from "../../../support/management.ts";

let api: TestApi;
let peerId: string;
beforeEach(async () => {
  api = await TestApi.open();
  peerId = (await aPeerOf(api.management.store, api.accountId)).id;
});

test.each(absentRoutes.map(({ path }) => path))("%s is empty, and nothing is made there", async (path) => {
  const at = path.replace(":peerId", peerId);
  const { status, body } = await api.call("GET", at);
  expect(status).toBe(200);
  expect(Object.values(body).flat()).toEqual([]);
  expect((await api.call("POST", at, { name: "x" })).status).toBe(405);
});
