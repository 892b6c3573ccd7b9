import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ROUTES_FILE, routesText } from "../../../packaging/dashboard-routes.ts";

test("the dashboard's table of routes is that of the server (bun packaging/dashboard-routes.ts writes it)", async () => {
  expect(readFileSync(ROUTES_FILE, "utf8") === (await routesText())).toBe(true);
});
