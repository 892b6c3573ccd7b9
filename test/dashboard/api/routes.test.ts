import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ROUTES_FILE, routesText } from "../../../packaging/dashboard-routes.ts";

const squeezed = (text: string): string => text.replace(/[\s;]+/g, "");

test("the dashboard's table of routes is that of the server (bun packaging/dashboard-routes.ts writes it)", async () => {
  expect(squeezed(readFileSync(ROUTES_FILE, "utf8")) === squeezed(await routesText())).toBe(true);
});
