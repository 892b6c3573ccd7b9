import { expect, test } from "bun:test";
import { QfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import {
  createRequestEntry,
  type RequestEntry,
  type Route,
} from "../../../src/management/http/request-entry.ts";

const routes: Route[] = [
  { prefix: "/who", answer: (_request, sourceAddress) => new Response(sourceAddress) },
  {
    prefix: "/broken",
    answer: () => {
      throw new Error("a secret");
    },
  },
  {
    prefix: "/refused",
    answer: async () => {
      throw new QfError("ERR_TOO_MANY", "too many");
    },
  },
  { prefix: "/agent", answer: () => new Response("agent") },
  { prefix: "/client", answer: () => new Response("client") },
  { prefix: "/healthz", answer: () => new Response("ok") },
];

/** Upgrades nothing: no route here wants it. */
const noServer = {} as Parameters<RequestEntry["answer"]>[2];

function front(behindProxy = false) {
  const { answer } = createRequestEntry({
    log: silentLog,
    origin: "https://qf.example.com",
    hosts: new Set(["qf.example.com"]),
    oldHosts: new Set(["old.example.com"]),
    behindProxy,
    routes,
  });
  return async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const request = new Request(`http://qf.example.com${path}`, {
      method,
      headers: { host: "qf.example.com", ...headers },
    });
    const response = await answer(request, "192.0.2.9", noServer);
    const location = response?.headers.get("location") ?? null;
    return { status: response?.status, text: (await response?.text()) ?? "", location };
  };
}

test.each([
  { host: "qf.example.com", status: 200 },
  { host: "QF.example.com", status: 200 },
  { host: "127.0.0.1:8080", status: 200 },
  { host: "[::1]:8080", status: 200 },
  { host: "evil.example", status: 421 },
  { host: "qf.example.com.evil.example", status: 421 },
  { host: "", status: 421 },
])("a request for host '$host' is answered with $status", async ({ host, status }) => {
  expect((await front()("/who", { host })).status).toBe(status);
});

test("at an address where it was before, programs are answered and people led on", async () => {
  const at = (path: string, method = "GET") => front()(path, { host: "old.example.com" }, method);
  expect((await at("/agent/v1/sync")).status).toBe(200);
  expect(await at("/client/v1/config")).toMatchObject({ status: 200 });
  expect(await at("/machines?q=web")).toMatchObject({
    status: 308,
    location: "https://qf.example.com/machines?q=web",
  });
  expect(await at("/who", "POST")).toMatchObject({ status: 421, text: expect.stringContaining("ERR_MOVED") });
});

test("probes are answered under any name", async () => {
  expect((await front()("/healthz", { host: "10.0.0.7.nip.example" })).status).toBe(200);
});

test("where a request comes from is said by the socket, or by our own proxy's last word", async () => {
  const forwarded = { "x-forwarded-for": "203.0.113.1, 198.51.100.2" };
  expect((await front()("/who", forwarded)).text).toBe("192.0.2.9");
  expect((await front(true)("/who", forwarded)).text).toBe("198.51.100.2");
  expect((await front(true)("/who", { "x-forwarded-for": "<script>" })).text).toBe("192.0.2.9");
  expect((await front(true)("/who")).text).toBe("192.0.2.9");
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["203.0.113.9:51234", "203.0.113.9"],
  ["198.51.100.1, 203.0.113.9:51234", "203.0.113.9"],
  ["198.51.100.1,203.0.113.9", "203.0.113.9"],
  ["2001:db8::7", "2001:db8::7"],
  ["[2001:db8::7]:443", "2001:db8::7"],
  ["[2001:DB8:0::7]", "2001:db8::7"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["[::ffff:cb00:7109]:51234", "203.0.113.9"],
  // What is no address is the proxy's own, never taken by halves.
  ["203.0.113.9:", "192.0.2.9"],
  ["203.0.113.9:123456", "192.0.2.9"],
  ["203.0.113.300", "192.0.2.9"],
  ["0203.0.113.9", "192.0.2.9"],
  ["2001:db8::7]:443", "192.0.2.9"],
  ["2001:db8::7%eth0", "192.0.2.9"],
  ["[2001:db8::7]443", "192.0.2.9"],
  ["::1::2", "192.0.2.9"],
  ["unknown", "192.0.2.9"],
  ["_hidden", "192.0.2.9"],
  ["203.0.113.9, ", "192.0.2.9"],
  ["", "192.0.2.9"],
])("behind a proxy that writes %j a request comes from %s", async (header, want) => {
  expect((await front(true)("/who", { "x-forwarded-for": header })).text).toBe(want);
});

test("a failure is one line, and an unexpected one tells nothing", async () => {
  expect(await front()("/refused")).toMatchObject({
    status: 429,
    text: JSON.stringify({ code: 429, message: "too many", error: "ERR_TOO_MANY" }),
  });
  const broken = await front()("/broken");
  expect(broken.status).toBe(500);
  expect(broken.text).not.toContain("secret");
});

test("what nobody answers is not found, also beside a prefix", async () => {
  expect((await front()("/whoever")).status).toBe(404);
  expect((await front()("/")).status).toBe(404);
  expect((await front()("/who/else")).status).toBe(200);
});
