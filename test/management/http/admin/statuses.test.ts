import { expect, test } from "bun:test";
import { FAILURES } from "../../../../src/base/errors.ts";
import { ADMIN_ROUTES } from "../../../../src/management/http/admin/app.ts";
import { STATUSES, statusesOf } from "../../../../src/management/http/admin/statuses.ts";

test("every status of every route has a sentence, and a failure that answers it", () => {
  const failing = new Set<number>(Object.values(FAILURES).map(({ httpStatus }) => httpStatus));
  for (const route of ADMIN_ROUTES) {
    for (const status of statusesOf(route)) {
      expect([route.path, status, typeof STATUSES[status]]).toEqual([route.path, status, "string"]);
      if (status !== 200 && status !== 421) expect([status, failing.has(status)]).toEqual([status, true]);
    }
  }
});

test.each([
  ["get", "/api/groups", [200, 400, 401, 403, 404, 421, 422, 500, 503]],
  ["put", "/api/groups/:groupId", [200, 400, 401, 403, 404, 409, 413, 421, 422, 500, 503]],
  ["get", "/api/users/current", [200, 400, 401, 403, 421, 500, 503]],
  ["get", "/api/events/audit", [200, 400, 401, 403, 409, 421, 422, 429, 500, 503]],
])("%s %s answers %p", (method, path, statuses) => {
  const route = ADMIN_ROUTES.find((one) => one.method === method && one.path === path);
  expect(route === undefined ? [] : statusesOf(route)).toEqual(statuses);
});
