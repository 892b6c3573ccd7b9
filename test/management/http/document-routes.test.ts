import { expect, test } from "bun:test";
import { DOCUMENT_ROUTE } from "../../../src/management/http/document-routes.ts";

const answer = (path: string, method = "GET") =>
  DOCUMENT_ROUTE.answer(
    new Request(`https://qf.example.com${path}`, { method }),
    "192.0.2.1",
    // A document needs no server.
    null as never,
  );

test("documents are pages under a policy that lets nothing run", async () => {
  for (const path of ["/docs", "/docs/", "/docs/policies", "/docs/providers/"]) {
    const response = await answer(path);
    expect(response?.status).toBe(200);
    expect(response?.headers.get("content-security-policy")).toStartWith(
      "default-src 'none'; style-src 'sha256-",
    );
    expect(response?.headers.get("content-type")).toStartWith("text/html");
  }
});

test.each<[path: string, method: string, code: string]>([
  ["/docs/nothing", "GET", "ERR_NOT_FOUND"],
  ["/docs/install.md", "GET", "ERR_NOT_FOUND"],
  ["/docs", "POST", "ERR_METHOD_NOT_ALLOWED"],
])("%s by %s is refused", (path, method, code) => {
  expect(() => answer(path, method)).toThrow(expect.objectContaining({ code }));
});
