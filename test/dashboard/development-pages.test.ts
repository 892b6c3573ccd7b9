import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const DASHBOARD = resolve(import.meta.dir, "../../src/dashboard");
const BUILT = resolve(import.meta.dir, "../../dist/dashboard/plain");
/** Text that is on the page of components, and nowhere else. */
const MARK = "Each in each state.";

const textsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(?:tsx|js)$/.test(name))
    .map((name) => readFileSync(join(folder, name), "utf8"));

test("the page of components shows every one of them", () => {
  const samples = textsIn(join(DASHBOARD, "pages/dev")).join("\n");
  const components = readdirSync(join(DASHBOARD, "components")).filter((name) => name.endsWith(".tsx"));
  const missing = components.filter((name) => !samples.includes(`components/${name}"`));
  // Hooks have nothing to show.
  expect(missing.filter((name) => !name.startsWith("use-"))).toEqual([]);
});

test("it is in no build but those for development", () => {
  expect(textsIn(join(DASHBOARD, "pages/dev")).some((text) => text.includes(MARK))).toBe(true);
  const scripts = textsIn(BUILT);
  expect(scripts.length).toBeGreaterThan(10);
  expect(scripts.filter((text) => text.includes(MARK) || text.includes("/dev/components"))).toEqual([]);
});
