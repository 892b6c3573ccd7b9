import { describe, expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { createStrictFetch, isLoopbackHost, isSafeUrl } from "../../src/identity/strict-fetch.ts";
import { startClosingServer } from "../support/closing-server.ts";

const MIB = 1024 * 1024;

/** A provider that answers as it is told, and remembers how it was asked. */
function aProvider(answer: (url: string) => Response | Promise<Response>) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const inner = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push({ url, init });
    return await answer(url);
  };
  return { asked, fetch: createStrictFetch(Object.assign(inner, { preconnect: () => {} })) };
}

const codeOf = (asking: Promise<unknown>): Promise<string> =>
  asking.then(
    () => "answered",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );

describe("isSafeUrl", () => {
  test.each([
    ["https://idp.example.com/x", true],
    ["http://127.0.0.1:8080/x", true],
    ["http://127.1.2.3/", true],
    ["http://localhost/", true],
    ["http://[::1]:8080/", true],
    ["http://idp.example.com/", false],
    ["http://10.0.0.1/", false],
    ["http://127.0.0.1.example.com/", false],
    ["http://localhost.example.com/", false],
    ["http://[::2]/", false],
    ["ftp://idp.example.com/", false],
    ["file:///etc/passwd", false],
    ["data:application/json,{}", false],
    ["idp.example.com", false],
    ["", false],
  ])("%p is %p", (url, want) => {
    expect(isSafeUrl(url)).toBe(want);
  });

  test.each([
    ["127.0.0.1", true],
    ["127.0.0.1.example.com", false],
    ["127.0.0", false],
    ["128.0.0.1", false],
    ["localhost", true],
  ])("isLoopbackHost(%p) is %p", (host, want) => {
    expect(isLoopbackHost(host)).toBe(want);
  });
});

describe("createStrictFetch", () => {
  test("asks nobody in the clear", async () => {
    const provider = aProvider(() => new Response("{}"));
    const inputs = ["http://idp.example.com/", new URL("http://10.0.0.1/"), new Request("http://10.0.0.1/")];
    for (const input of inputs) expect(await codeOf(provider.fetch(input))).toBe("ERR_UNAVAILABLE");
    expect(provider.asked).toEqual([]);
  });

  test("follows no redirect and waits for a bounded time, whatever its caller asks for", async () => {
    const provider = aProvider(() => new Response("{}"));
    await provider.fetch("https://idp.example.com/", { redirect: "follow", method: "POST" });
    expect(provider.asked[0]?.init).toMatchObject({ redirect: "error", method: "POST" });
    const signal = provider.asked[0]?.init?.signal;
    expect(signal).toBeInstanceOf(AbortSignal);
    expect(signal?.aborted).toBe(false);
  });

  test("a POST is not lost by the end of a kept connection", async () => {
    using server = startClosingServer();
    const strict = createStrictFetch(fetch);
    for (const method of ["GET", "POST", "GET", "POST", "post", "GET"]) {
      const body = method === "GET" ? null : "code=x";
      expect((await strict(server.url, { method, body })).status).toBe(200);
    }
    expect((await strict(new Request(server.url, { method: "POST", body: "x" }))).status).toBe(200);
  });

  test("keeps status and headers of the answer", async () => {
    const provider = aProvider(() => new Response("no", { status: 403, headers: { "x-a": "b" } }));
    const response = await provider.fetch("https://idp.example.com/");
    expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([403, "b", "no"]);
  });

  test("takes an answer of 512 KiB, and none that is longer or never ends", async () => {
    const bytes = (size: number) => aProvider(() => new Response(new Uint8Array(size))).fetch;
    expect(await codeOf(bytes(MIB / 2)("https://idp.example.com/"))).toBe("answered");
    expect(await codeOf(bytes(MIB / 2 + 1)("https://idp.example.com/"))).toBe("ERR_UNAVAILABLE");
    let sent = 0;
    const endless = aProvider(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              sent += 65_536;
              if (sent > 8 * MIB) controller.close();
              else controller.enqueue(new Uint8Array(65_536));
            },
          }),
        ),
    );
    expect(await codeOf(endless.fetch("https://idp.example.com/"))).toBe("ERR_UNAVAILABLE");
    expect(sent).toBeLessThan(2 * MIB);
  });

  test("says the same of every way in which a provider cannot be reached", async () => {
    const provider = aProvider(() => Promise.reject(new TypeError("redirect")));
    expect(await codeOf(provider.fetch("https://idp.example.com/"))).toBe("ERR_UNAVAILABLE");
  });

  test("gives a provider up that does not answer in time, or whose caller has gone", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const silent = (_input: unknown, init?: RequestInit) => {
      signals.push(init?.signal);
      return new Promise<Response>((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason), { once: true });
      });
    };
    const inner = Object.assign(silent, { preconnect: () => {} }) as typeof fetch;
    expect(await codeOf(createStrictFetch(inner, 20)("https://idp.example.com/"))).toBe("ERR_UNAVAILABLE");
    const stop = new AbortController();
    const asking = createStrictFetch(inner)("https://idp.example.com/", { signal: stop.signal });
    stop.abort();
    expect(await codeOf(asking)).toBe("ERR_UNAVAILABLE");
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
  });

  test("follows no redirect of a real server", async () => {
    const asked: string[] = [];
    await using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        asked.push(new URL(request.url).pathname);
        return Response.redirect("/secret", 302);
      },
    });
    expect(await codeOf(createStrictFetch(fetch)(`http://127.0.0.1:${server.port}/a`))).toBe(
      "ERR_UNAVAILABLE",
    );
    expect(asked).toEqual(["/a"]);
  });
});
