import { expect, test } from "bun:test";
import { silentLog } from "../../../src/base/log.ts";
import { createRequestEntry, type RequestEntry } from "../../../src/management/http/request-entry.ts";

/** Upgrades nothing. */
const noServer = {} as Parameters<RequestEntry["answer"]>[2];

async function get(path: string, headers: Record<string, string>) {
  const { answer } = createRequestEntry({
    log: silentLog,
    origin: "https://qf.example.com",
    hosts: new Set(["qf.example.com"]),
    behindProxy: false,
    routes: [],
  });
  const request = new Request(`http://qf.example.com${path}`, {
    headers: { host: "qf.example.com", ...headers },
  });
  const response = await answer(request, "192.0.2.9", noServer);
  return { status: response?.status, text: (await response?.text()) ?? "" };
}

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

test.each([
  {
    path: "/",
    accept: BROWSER.accept,
    status: 200,
    shows: "qf login --management-url https://qf.example.com",
  },
  { path: "/nowhere", accept: BROWSER.accept, status: 404, shows: "There is nothing here" },
  { path: "/nowhere", accept: BROWSER.accept, status: 404, shows: 'href="/">To the first page</a>' },
  { path: "/", accept: "application/json", status: 404, shows: '"error":"ERR_NOT_FOUND"' },
  { path: "/", accept: "*/*", status: 404, shows: '"error":"ERR_NOT_FOUND"' },
  { path: "/nowhere", accept: "", status: 404, shows: '"error":"ERR_NOT_FOUND"' },
])("$path for Accept '$accept' is $status with $shows", async ({ path, accept, status, shows }) => {
  const answer = await get(path, accept === "" ? {} : { accept });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(shows);
});

test("a page repeats nothing of the address that was asked for", async () => {
  const answer = await get("/%3Cb%3Emarker?marker=1", BROWSER);
  expect(answer.text).not.toContain("marker");
});

test("a name that is not ours gets no page either", async () => {
  expect((await get("/", { ...BROWSER, host: "evil.example" })).status).toBe(421);
});
