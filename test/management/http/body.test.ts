import { beforeEach, expect, test } from "bun:test";
import { BODY_BYTES_MAX } from "../../../src/management/http/body.ts";
import { TestApi } from "../../support/admin-api.ts";
import { ORIGIN } from "../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const post = (body: BodyInit | null, type: string | null = "application/json") =>
  api.send("POST", "/api/groups", {
    headers: { authorization: `Token ${api.owner}`, ...(type === null ? {} : { "content-type": type }) },
    body,
  });

const malformed: { name: string; body: BodyInit | null; type?: string | null; status: number }[] = [
  { name: "nothing", body: null, status: 400 },
  { name: "no JSON", body: "name=x", status: 400 },
  { name: "half of it", body: '{"name":"x"', status: 400 },
  { name: "another type", body: '{"name":"x"}', type: "text/plain", status: 400 },
  { name: "a form", body: "name=x", type: "application/x-www-form-urlencoded", status: 400 },
  { name: "bytes that are no UTF-8", body: Uint8Array.of(0x22, 0xff, 0x22), status: 400 },
  { name: "a list", body: "[]", status: 422 },
  { name: "null", body: "null", status: 422 },
  { name: "a string", body: '"x"', status: 422 },
  { name: "a number for a name", body: '{"name":1}', status: 422 },
  { name: "a missing name", body: "{}", status: 422 },
  { name: "far too deep a list", body: `${"[".repeat(200_000)}${"]".repeat(200_000)}`, status: 422 },
  { name: "too much", body: `{"name":"${"x".repeat(BODY_BYTES_MAX)}"}`, status: 413 },
];

test.each(malformed)("a body that is $name answers $status", async ({ body, type, status }) => {
  const reply = await post(body, type);
  expect(reply.status).toBeGreaterThanOrEqual(400);
  expect([reply.status, reply.body.code]).toEqual([status, status]);
  expect(reply.body.message).not.toMatch(/zod|stack|SyntaxError|at \//i);
});

test("a body without a length is bounded as it comes", async () => {
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  const reply = await post(endless);
  expect(reply.status).toBe(413);
  expect(sent).toBeLessThan(BODY_BYTES_MAX * 2);
});

test.each(['{"name":"x","colour":1}', '{"name":"x","__proto__":{"a":1}}', '{"name":"x","constructor":1}'])(
  "%s is taken, and its unknown field does nothing and is named",
  async (body) => {
    const reply = await post(body);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ name: "x", peers: [] });
    expect(reply.headers.get("x-ignored")).toMatch(/^(?:colour|__proto__|constructor)$/);
  },
);

test("a name that is told cannot draw on a terminal, nor end a header", async () => {
  const { headers } = await api.call("POST", "/api/groups", { name: "x", "\u001b[31m\r\nqf: error": 1 });
  expect(headers.get("x-ignored")).toBe("?[31m??qf: error");
  const { body } = await api.call("POST", "/api/policies", { "\u001b[31m\nqf: error": 1 });
  expect(body.message).not.toMatch(/[\x00-\x1f]/);
});

test("an unexpected failure says nothing of itself", async () => {
  const lines: unknown[] = [];
  const log = { ...api.management.log, error: (...line: unknown[]) => void lines.push(line) };
  const broken = await TestApi.open({ log });
  await broken.management.store.close();
  const response = await broken.app.request(`${ORIGIN}/api/users/current`, {
    headers: { authorization: `Token ${broken.owner}` },
  });
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({
    code: 500,
    message: "the server failed to do this",
    error: "ERR_INTERNAL",
    hint: "its log says why",
  });
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toContain(broken.owner.slice(4));
});
