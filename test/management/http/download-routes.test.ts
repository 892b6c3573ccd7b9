import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createDownloads } from "../../../src/management/http/download-routes.ts";
import { createDownloadTurns } from "../../../src/management/http/download-turns.ts";
import { createReleases } from "../../../src/management/releases/releases.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aReleaseKey, standIn, writeRelease } from "../../support/release.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const home = tempFolder();
const VERSION = "1.0.0";
const build = Buffer.from(standIn(VERSION));
const releases = createReleases({
  ...{ folder: home, packedFolder: join(home, "packed"), executable: null },
  ...{ clock: new FakeClock(), log: silentLog },
});
const routes = createDownloads({ origin: "https://qf.example.com", releaseKeys: [], releases });
let server: ReturnType<typeof Bun.serve>;

beforeAll(() => {
  writeRelease({ folder: home, version: VERSION, key: aReleaseKey(home) });
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) =>
      routes
        .answer(request, "192.0.2.1")
        .catch((error) => new Response(isQfError(error) ? error.code : "", { status: 400 })),
  });
});
afterAll(() => server.stop(true));

const get = (path: string, init: BunFetchRequestInit = {}) =>
  fetch(`${server.url.origin}${path}`, { decompress: false, ...init });

describe("/downloads", () => {
  test.each(["1.0.0", "latest"])("%s: manifest, signature and builds, plain and packed", async (version) => {
    const at = `/downloads/${version}`;
    expect(await (await get(`${at}/manifest.json`)).json()).toMatchObject({ version: VERSION });
    expect(await (await get(`${at}/manifest.json.sig`)).text()).toStartWith("-----BEGIN");
    const plain = await get(`${at}/linux-x64`, { headers: { "accept-encoding": "identity" } });
    expect(Buffer.from(await plain.arrayBuffer())).toEqual(build);
    const zstd = await get(`${at}/linux-x64.zst`);
    expect(zstd.headers.get("content-encoding")).toBeNull();
    expect(Bun.zstdDecompressSync(await zstd.arrayBuffer())).toEqual(build);
    const gzip = await get(`${at}/linux-x64.gz`);
    expect(Buffer.from(Bun.gunzipSync(await gzip.arrayBuffer()))).toEqual(build);
  });

  test.each([
    ["zstd, gzip", "zstd"],
    ["deflate, gzip, br", "gzip"],
    ["gzip;q=1.0, zstd;q=0", "gzip"],
    ["br", null],
    ["zstd;q=0.0", null],
  ])("a client that takes %p gets %p", async (taken, want) => {
    const response = await get("/downloads/1.0.0/linux-x64", { headers: { "accept-encoding": taken } });
    expect(response.headers.get("content-encoding")).toBe(want);
    expect(response.headers.get("vary")).toBe("accept-encoding");
  });

  test.each([
    "/downloads",
    "/downloads/",
    "/downloads/1.0.0",
    "/downloads/1.0.0/",
    "/downloads/1.0.1/linux-x64",
    "/downloads/1.0.0/linux-mips",
    "/downloads/1.0.0/linux-x64.br",
    "/downloads/1.0.0/linux-x64/",
    "/downloads/1.0.0/qf-linux-x64",
    "/downloads/..%2f..%2fetc/passwd",
    "/downloads/1.0.0/..%2f..%2frelease-key",
    "/downloads/./release-key",
    "/downloads/1.0.0/%2e%2e/release-key",
  ])("%s is not there", async (path) => {
    expect(await (await get(path)).text()).toBe("ERR_NOT_FOUND");
  });

  test("HEAD says how long a build is; POST is refused", async () => {
    const head = await get("/downloads/1.0.0/linux-x64", { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(build.length));
    expect(await (await get("/install.sh", { method: "POST" })).text()).toBe("ERR_METHOD_NOT_ALLOWED");
  });

  test("no browser runs what is there", async () => {
    for (const path of ["/install.sh", "/downloads/1.0.0/linux-x64", "/downloads/1.0.0/manifest.json"]) {
      const { headers } = await get(path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-type")).toMatch(/^(?:text\/plain|application\/(?:octet-stream|json))/);
    }
  });

  test("what finds too many others is told when to come again, and is sent once one of them is gone", async () => {
    const turns = createDownloadTurns({ totalMax: 2 });
    const bounded = createDownloads({ origin: "https://qf.example.com", releaseKeys: [], releases, turns });
    const ask = (name: string, method = "GET") =>
      bounded.answer(new Request(`https://qf.example.com/downloads/1.0.0/${name}`, { method }), "192.0.2.1");
    const [slow] = [await ask("linux-x64.zst"), await ask("linux-x64")];
    const busy = await ask("linux-x64.gz");
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await busy.json()).toMatchObject({ code: 503, error: "ERR_UNAVAILABLE" });
    // What is small is not waited for.
    expect((await ask("manifest.json")).status).toBe(200);
    expect((await ask("linux-x64", "HEAD")).status).toBe(200);
    await slow?.body?.cancel();
    expect(Bun.gunzipSync(await (await ask("linux-x64.gz")).arrayBuffer()).length).toBe(build.length);
  });
});
