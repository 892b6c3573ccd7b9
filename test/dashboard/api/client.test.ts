import { afterEach, expect, test } from "bun:test";
import { ApiError, callApi, callPage } from "../../../src/dashboard/api/client.ts";

const real = globalThis.fetch;
let asked: { url: string; init: RequestInit } | undefined;
afterEach(() => {
  globalThis.fetch = real;
  asked = undefined;
});

function answerWith(answer: () => Response | Promise<Response>): void {
  const fake = async (url: string, init: RequestInit): Promise<Response> => {
    asked = { url, init };
    return answer();
  };
  globalThis.fetch = fake as unknown as typeof fetch;
}

test("what is asked carries the header of our pages, its path and its query", async () => {
  answerWith(() => Response.json({ id: "p1" }));
  await callApi("GET /api/peers/:peerId", { params: { peerId: "a/b" } });
  expect(asked?.url).toBe("/api/peers/a%2Fb");
  expect(new Headers(asked?.init.headers).get("x-qf-dashboard")).toBe("1");
});

test("a failure of the API is its sentence, code and hint", async () => {
  answerWith(() =>
    Response.json(
      { code: 409, message: "this name is taken", error: "ERR_CONFLICT", hint: "choose another" },
      {
        status: 409,
        headers: { "x-request-id": "r1" },
      },
    ),
  );
  const failed = await callApi("GET /api/users").catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ApiError);
  expect(failed).toMatchObject({
    status: 409,
    code: "ERR_CONFLICT",
    message: "This name is taken.",
    hint: "Choose another.",
    requestId: "r1",
  });
});

test("no answer is a failure with status 0", async () => {
  answerWith(() => Promise.reject(new TypeError("network")));
  expect(callApi("GET /api/users")).rejects.toMatchObject({ status: 0, code: "ERR_UNREACHABLE" });
});

test("a page of a list says how many there are, and where it goes on", async () => {
  const link = '<https://qf.example.com/api/peers?limit=2&cursor=b>; rel="next"';
  answerWith(() => Response.json([{}, {}], { headers: { "x-total-count": "5", link } }));
  expect(await callPage("GET /api/peers", { query: { limit: "2" } })).toMatchObject({
    total: 5,
    cursor: "b",
  });
  expect(asked?.url).toBe("/api/peers?limit=2");
});
