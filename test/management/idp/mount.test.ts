/** What of an outside request reaches the provider, and what of its answer comes out. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import { isQfError } from "../../../src/base/errors.ts";
import { openProviderMount, type ProviderMount, SOURCE_HEADER } from "../../../src/management/idp/mount.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const ORIGIN = "https://qf.example.com";
let mount: ProviderMount;
let seen: { headers: IncomingHttpHeaders; url: string | undefined; body: string }[];
/** How the provider answers. */
let answer: (res: ServerResponse) => void;

beforeEach(async () => {
  seen = [];
  answer = (res) => res.end("ok");
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of req.setEncoding("utf8")) body += chunk;
    seen.push({ headers: req.headers, url: req.url, body });
    answer(res);
  };
  const provider = { callback: () => handle } as unknown as Provider;
  mount = await openProviderMount(provider, ORIGIN, tempFolder());
});
afterEach(() => mount.close());

const ask = (path: string, init: RequestInit = {}) =>
  mount.forward(new Request(`${ORIGIN}${path}`, init), "192.0.2.7");

describe("a request", () => {
  test("goes on with what the provider needs", async () => {
    await ask("/idp/token?a=b", {
      method: "POST",
      headers: { cookie: "a=b", origin: ORIGIN, accept: "text/html", "content-type": "text/plain" },
      body: "form",
    });
    expect(seen[0]).toMatchObject({ url: "/token?a=b", body: "form" });
    expect(seen[0]?.headers).toMatchObject({ cookie: "a=b", origin: ORIGIN, accept: "text/html" });
  });

  test.each([
    SOURCE_HEADER,
    "X-QuFabric-Source",
    "x-qufabric-anything",
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
    "x-original-url",
    "x-http-method-override",
    "x-remote-user",
    "remote-user",
    "via",
  ])("does not say by %s what is ours to say", async (name) => {
    await ask("/idp/auth", { headers: { [name]: "evil.example" } });
    const { headers = {} } = seen[0] ?? {};
    expect(JSON.stringify(headers)).not.toContain("evil.example");
    expect(headers[SOURCE_HEADER]).toBe("192.0.2.7");
  });

  test("comes under our own origin, whatever it says of host and scheme", async () => {
    await ask("/idp/auth", {
      headers: { host: "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" },
    });
    expect(seen[0]?.headers).toMatchObject({
      host: "qf.example.com",
      "x-forwarded-host": "qf.example.com",
      "x-forwarded-proto": "https",
    });
  });

  test.each(["/", "/idpx", "/api/users", "/idp/../api/users"])("for %s goes nowhere", async (path) => {
    const failure = await ask(path).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_NOT_FOUND")).toBe(true);
    expect(seen).toEqual([]);
  });

  test("of more than 64 KiB goes nowhere", async () => {
    const post = (size: number) => ask("/idp/token", { method: "POST", body: "x".repeat(size) });
    expect((await post(64 * 1024)).status).toBe(200);
    const failure = await post(64 * 1024 + 1).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_TOO_LARGE")).toBe(true);
    expect(seen).toHaveLength(1);
  });
});

test("a request never meets the end of a connection that the inner server closes just then", async () => {
  const known = new Set<unknown>();
  answer = (res) => {
    // What a server does that has waited too long for a second request.
    if (known.has(res.socket)) return void res.socket?.destroy();
    known.add(res.socket);
    res.end("ok");
  };
  for (let i = 0; i < 5; i++) {
    const response = await ask("/idp/token", { method: "POST", body: "code=x" });
    expect([response.status, await response.text()]).toEqual([200, "ok"]);
  }
});

describe("an answer", () => {
  test("comes with its status, its redirect and what keeps it out of frames", async () => {
    answer = (res) => res.writeHead(303, { location: "https://elsewhere.example/", "x-a": "b" }).end();
    const response = await ask("/idp/auth");
    expect([response.status, response.headers.get("location")]).toEqual([303, "https://elsewhere.example/"]);
    expect(response.headers.get("x-frame-options")).toBe("DENY");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("connection")).toBeNull();
  });
});
