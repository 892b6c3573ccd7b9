import { expect, test } from "bun:test";
import { keepLoopbackDirect } from "../../src/base/loopback-direct.ts";

test.each<[name: string, given: Record<string, string>, want: string | undefined]>([
  ["no proxy", {}, undefined],
  ["a proxy for https only", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["a proxy", { HTTP_PROXY: "http://p:1" }, "localhost,127.0.0.0/8,::1"],
  ["a proxy in small letters", { http_proxy: "http://p:1" }, "localhost,127.0.0.0/8,::1"],
  ["a proxy and exceptions", { HTTP_PROXY: "http://p:1", no_proxy: "a.b" }, "a.b,localhost,127.0.0.0/8,::1"],
])("keepLoopbackDirect with %s", (_name, given, want) => {
  const environment: Record<string, string | undefined> = { ...given };
  keepLoopbackDirect(environment);
  expect([environment.NO_PROXY, environment.no_proxy]).toEqual([want, want]);
});
