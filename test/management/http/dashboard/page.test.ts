import { expect, test } from "bun:test";
import { dashboardPage, isDashboardPath } from "../../../../src/management/http/dashboard/page.ts";

const BUILT = { files: {}, script: "main-1.js", style: "main-1.css", preload: ["chunk-1.js"] };

const ORIGIN = "https://qf.example.com";

function page(headers: Record<string, string> = {}, dashboardOrigin = ORIGIN) {
  return dashboardPage(BUILT, new Request(ORIGIN, { headers }), { origin: ORIGIN, dashboardOrigin });
}

test("under an origin of its own it connects there only, and shows the address that machines know", async () => {
  const answer = page({}, "https://admin.example.com");
  const policy = answer.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("connect-src https://admin.example.com/api/");
  expect(policy).not.toContain("qf.example.com");
  expect(await answer.text()).toContain(`name="qf-server" content="${ORIGIN}"`);
});

test("its policy names every source, and no inline script or style without the nonce", async () => {
  const answer = page();
  const policy = answer.headers.get("content-security-policy") ?? "";
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
  expect(nonce).toHaveLength(24);
  expect(await answer.text()).toContain(`nonce="${nonce}"`);
  const directives = Object.fromEntries(
    policy.split("; ").map((part) => [part.split(" ", 1)[0], part.slice(part.indexOf(" ") + 1)]),
  );
  expect(directives).toMatchObject({
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "frame-ancestors": "'none'",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
  });
  expect(directives["connect-src"]).not.toMatch(/'self'|\*| https: /);
  // Not the value that pages that sign people in have.
  expect(answer.headers.get("cross-origin-opener-policy")).toBe("same-origin-allow-popups");
});

test("two pages have two nonces", () => {
  const [first, second] = [page(), page()].map(({ headers }) => headers.get("content-security-policy"));
  expect(first).not.toBe(second);
});

test.each([
  ["", "system"],
  ["qf_theme=dark", "dark"],
  ["a=b; qf_theme=light; c=d", "light"],
  ['qf_theme="><script>', "system"],
])("with the cookie %j the theme is %s", async (cookie, theme) => {
  expect(await page(cookie === "" ? {} : { cookie }).text()).toContain(`data-theme="${theme}"`);
});

test.each([
  ["/", true],
  ["/machines", true],
  ["/machines/abc", true],
  ["/machinesx", false],
  ["/nowhere", false],
  ["/api/users", false],
])("%s is an address of the dashboard: %p", (path, is) => expect(isDashboardPath(path)).toBe(is));
