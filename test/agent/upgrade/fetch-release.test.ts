import { describe, expect, test } from "bun:test";
import { fetchBuild, fetchManifest, verifyManifest } from "../../../src/agent/upgrade/fetch-release.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { MANIFEST_BYTES_MAX, manifestText } from "../../../src/wire/release.ts";
import { aManifest, aReleaseKey, signatureOf } from "../../support/release.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const URL = "https://qf.example.com";
const key = aReleaseKey(tempFolder());
const keys = [key.publicKey];
const text = manifestText(aManifest("1.2.3", Buffer.from("qf")));
const signature = signatureOf(text, key);

/** A server that answers each address with what `answers` has for it, else with 404. */
const serving = (answers: Readonly<Record<string, Response>>) => async (url: string) =>
  answers[url.replace(`${URL}/downloads/`, "")] ?? new Response("", { status: 404 });

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );

describe("fetchManifest", () => {
  test("reads what is signed", async () => {
    const server = serving({
      "1.2.3/manifest.json": new Response(text),
      "1.2.3/manifest.json.sig": new Response(signature),
    });
    expect(await fetchManifest(URL, "1.2.3", keys, server)).toMatchObject({ version: "1.2.3" });
  });

  test.each<[string, Readonly<Record<string, Response>>, string]>([
    ["no release", {}, "ERR_NOT_FOUND"],
    ["no signature", { "1.2.3/manifest.json": new Response(text) }, "ERR_FORBIDDEN"],
    [
      "an endless manifest",
      { "1.2.3/manifest.json": new Response("x".repeat(MANIFEST_BYTES_MAX + 1)) },
      "ERR_TOO_LARGE",
    ],
    ["a server in trouble", { "1.2.3/manifest.json": new Response("", { status: 502 }) }, "ERR_UNAVAILABLE"],
  ])("%s", async (_what, answers, want) => {
    expect(await codeOf(fetchManifest(URL, "1.2.3", keys, serving(answers)))).toBe(want);
  });

  test("never follows a redirect, and waits for a while at most", async () => {
    let seen: RequestInit = {};
    const server = async (_url: string, init: RequestInit) => {
      seen = init;
      throw new TypeError("redirected");
    };
    expect(await codeOf(fetchManifest(URL, "1.2.3", keys, server))).toBe("ERR_UNAVAILABLE");
    expect(seen.redirect).toBe("error");
    expect(seen.signal).toBeInstanceOf(AbortSignal);
  });
});

test("verifyManifest wants a key, the signature and a manifest, in this order", () => {
  const refusal = (...args: Parameters<typeof verifyManifest>): unknown => {
    try {
      return verifyManifest(...args).version;
    } catch (error) {
      return isQfError(error) && error.code;
    }
  };
  expect(refusal(text, signature, keys)).toBe("1.2.3");
  expect(refusal(text, signature, [])).toBe("ERR_FORBIDDEN");
  expect(refusal(text, undefined, keys)).toBe("ERR_FORBIDDEN");
  expect(refusal(`${text} `, signature, keys)).toBe("ERR_FORBIDDEN");
  expect(refusal("[]", signatureOf("[]", key), keys)).toBe("ERR_UNPROCESSABLE");
});

test("fetchBuild asks for the packed build of its own target", async () => {
  const server = serving({ "1.2.3/linux-x64.zst": new Response("packed") });
  const body = await fetchBuild(URL, { version: "1.2.3", target: "linux-x64" }, server);
  expect(await new Response(body).text()).toBe("packed");
  expect(await codeOf(fetchBuild(URL, { version: "1.2.3", target: "linux-arm64" }, server))).toBe(
    "ERR_NOT_FOUND",
  );
});

describe("a server with too many downloads", () => {
  const asked = { version: "1.2.3", target: "linux-x64" };
  const busy = (seconds: string | null) =>
    new Response("", { status: 503, headers: seconds === null ? {} : { "retry-after": seconds } });

  test("is asked again when it says, spread over as long again", async () => {
    const answers = [busy("5"), busy("600"), new Response("packed")];
    const waits: number[] = [];
    const server = async () => answers.shift() ?? new Response("", { status: 404 });
    const body = await fetchBuild(URL, asked, server, async (ms) => void waits.push(ms));
    expect(await new Response(body).text()).toBe("packed");
    const [first = 0, second = 0] = waits;
    expect([first >= 5_000 && first <= 10_000, second >= 60_000 && second <= 120_000]).toEqual([true, true]);
  });

  test.each<[string, string | null, number]>([
    ["that never has room is given up", "60", 20],
    ["that does not say when to come again is not waited for", null, 0],
    ["that says nothing that could be waited for neither", "Wed, 21 Oct 2026 07:28:00 GMT", 0],
    ["that says now neither", "0", 0],
  ])("%s", async (_what, seconds, waitsMax) => {
    let waits = 0;
    const server = async () => busy(seconds);
    const sleep = async (): Promise<void> => {
      waits += 1;
    };
    expect(await codeOf(fetchBuild(URL, asked, server, sleep))).toBe("ERR_UNAVAILABLE");
    expect(waits > 0).toBe(waitsMax > 0);
    expect(waits).toBeLessThanOrEqual(waitsMax);
  });
});
