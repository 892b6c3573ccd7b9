import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { isQfError } from "../../../src/base/errors.ts";
import { createOutbound, type Outbound } from "../../../src/management/outbound/outbound.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { writeTlsFiles } from "../../support/tls.ts";

const LOOPBACK = ["127.0.0.0/8"];
let cert: string;
let key: string;
let close: (() => void)[];

beforeEach(() => {
  const files = writeTlsFiles(tempFolder());
  cert = readFileSync(files.tlsCert, "utf8");
  key = readFileSync(files.tlsKey, "utf8");
  close = [];
});
afterEach(() => {
  for (const end of close) end();
});

function aReceiver(answer: (request: Request) => Response | Promise<Response>) {
  const seen: { url: string; body: string; headers: Headers }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { cert, key },
    fetch: async (request) => {
      seen.push({ url: request.url, body: await request.clone().text(), headers: request.headers });
      return answer(request);
    },
  });
  close.push(() => void server.stop(true));
  return { seen, port: server.port, url: `https://localhost:${server.port}/in?x=1` };
}

const local = (change: object = {}): Outbound =>
  createOutbound({ allow: LOOPBACK, lookup: async () => ["127.0.0.1"], ca: cert, ...change });

/** The code and the message of a failure; null: it went well. */
async function failureOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return isQfError(error) ? error.code : `not a failure of ours: ${error}`;
  }
}

const post = (outbound: Outbound, url: string) =>
  outbound.post({ url, headers: { "webhook-id": "msg_1" }, body: "{}" });

test("a post arrives as it was meant: path, query, name and headers, at the address that was checked", async () => {
  const receiver = aReceiver(() => new Response("ok"));
  await post(local(), receiver.url);
  expect(receiver.seen).toMatchObject([{ url: receiver.url, body: "{}" }]);
  expect(receiver.seen[0]?.headers.get("host")).toBe(`localhost:${receiver.port}`);
});

test("a name is resolved once for a call, and one that changes its answer is checked at each", async () => {
  const receiver = aReceiver(() => new Response("ok"));
  const answers = [["127.0.0.1"], ["10.0.0.1"]];
  let asked = 0;
  const outbound = local({ lookup: async () => answers[asked++] ?? [] });
  expect(await failureOf(post(outbound, receiver.url))).toBeNull();
  expect(await failureOf(post(outbound, receiver.url))).toBe("ERR_BAD_REQUEST");
  expect([asked, receiver.seen.length]).toEqual([2, 1]);
});

describe("nothing is sent to", () => {
  test.each([
    ["a name with a private address", "https://localhost/", ["10.0.0.1"]],
    ["a name with one private address of two", "https://localhost/", ["1.1.1.1", "10.0.0.1"]],
    ["loopback in hexadecimal", "https://0x7f000001/", []],
    ["loopback as one number", "https://2130706433/", []],
    ["loopback in octal", "https://0177.0.0.1/", []],
    ["loopback of IPv6", "https://[::1]/", []],
    ["IPv4 in IPv6", "https://[::ffff:169.254.169.254]/", []],
    ["metadata of clouds", "https://169.254.169.254/latest/meta-data", []],
  ])("%s", async (_name, url, addresses) => {
    const outbound = createOutbound({ allow: [], lookup: async () => addresses });
    expect(await failureOf(post(outbound, url))).toBe("ERR_BAD_REQUEST");
  });

  test("what is not https", async () => {
    expect(await failureOf(post(local(), "http://localhost/"))).toBe("ERR_BAD_REQUEST");
  });
});

test("a redirect is not followed", async () => {
  const target = aReceiver(() => new Response("ok"));
  const receiver = aReceiver(() => Response.redirect(target.url, 307));
  expect(await failureOf(post(local(), receiver.url))).toBe("ERR_UNAVAILABLE");
  expect(target.seen).toEqual([]);
});

test.each([400, 404, 410, 500])("status %i is a failure", async (status) => {
  const receiver = aReceiver(() => new Response("private", { status }));
  const failure = await post(local(), receiver.url).catch((error: Error) => error.message);
  expect(failure).toBe(`localhost:${receiver.port} answered with HTTP status ${status}`);
});

test("an answer that never ends is given up, and its status counts", async () => {
  const endless = () =>
    new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(64 * 1024)) }));
  expect(await failureOf(post(local(), aReceiver(endless).url))).toBeNull();
});

test("no answer in time is a failure", async () => {
  const receiver = aReceiver(() => new Promise<Response>(() => {}));
  expect(await failureOf(post(local({ timeoutMs: 200 }), receiver.url))).toBe("ERR_UNAVAILABLE");
  const never = local({ timeoutMs: 50, lookup: () => new Promise(() => {}) });
  expect(await failureOf(post(never, receiver.url))).toBe("ERR_UNAVAILABLE");
});

test("a certificate for another name, or of nobody that is trusted, is a failure", async () => {
  const receiver = aReceiver(() => new Response("ok"));
  const elsewhere = `https://other.example:${receiver.port}/`;
  expect(await failureOf(post(local(), elsewhere))).toBe("ERR_UNAVAILABLE");
  const untrusting = createOutbound({ allow: LOOPBACK, lookup: async () => ["127.0.0.1"] });
  expect(await failureOf(post(untrusting, receiver.url))).toBe("ERR_UNAVAILABLE");
  expect(receiver.seen).toEqual([]);
});

/** Reads until the other end is done, then closes. */
function aCollector(tls: boolean) {
  const got: string[] = [];
  const onSocket = (socket: NodeJS.ReadWriteStream): void => {
    let text = "";
    socket.on("data", (part) => {
      text += part;
    });
    socket.on("end", () => {
      got.push(text);
      socket.end();
    });
    socket.on("error", () => {});
  };
  const server: Server = tls ? createTlsServer({ cert, key }, onSocket) : createServer(onSocket);
  close.push(() => void server.close());
  return new Promise<{ got: string[]; port: number }>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ got, port: (server.address() as { port: number }).port }));
  });
}

test.each([true, false])("bytes are written whole, by TLS %p", async (tls) => {
  const { got, port } = await aCollector(tls);
  const bytes = Buffer.from("x".repeat(300_000));
  await local().write({ host: "localhost", port, tls, bytes });
  expect(got.map((text) => text.length)).toEqual([300_000]);
});

test("a receiver that closes early, or is not there, is a failure", async () => {
  const server = createServer((socket) => socket.destroy());
  close.push(() => void server.close());
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  const bytes = Buffer.alloc(8 * 1024 * 1024);
  expect(await failureOf(local().write({ host: "localhost", port, tls: false, bytes }))).toBe(
    "ERR_UNAVAILABLE",
  );
  expect(await failureOf(local().write({ host: "localhost", port: 1, tls: false, bytes }))).toBe(
    "ERR_UNAVAILABLE",
  );
  const refused = createOutbound({ allow: [], lookup: async () => ["127.0.0.1"] });
  expect(await failureOf(refused.write({ host: "localhost", port, tls: false, bytes }))).toBe(
    "ERR_BAD_REQUEST",
  );
});
