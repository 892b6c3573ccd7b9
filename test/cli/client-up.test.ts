/** `qf up` of a client, and everything by which it is an agent's. */
import { expect, test } from "bun:test";
import { isClientUp } from "../../src/cli/client-up.ts";

const client = {
  given: { "ssh-jwt-cache-ttl": "3600", "management-url": "https://qf.example.com", foreground: undefined },
  environment: {},
  isRoot: false,
  isEnrolled: false,
};

test("a person who asks for a kept login only is a client", () => {
  expect(isClientUp(client)).toBe(true);
  expect(isClientUp({ ...client, given: {} })).toBe(true);
});

test.each([
  ["root", { isRoot: true }],
  ["an enrolled machine", { isEnrolled: true }],
  ["--allow-server-ssh", { given: { ...client.given, "allow-server-ssh": true } }],
  ["a setup key", { given: { ...client.given, "setup-key": "K" } }],
  ["--foreground", { given: { ...client.given, foreground: true } }],
  ["--name", { given: { ...client.given, name: "web1" } }],
  ["QF_SETUP_KEY", { environment: { QF_SETUP_KEY: "K" } }],
  ["QF_ALLOW_SERVER_SSH", { environment: { QF_ALLOW_SERVER_SSH: "1" } }],
])("%s makes it an agent's", (_name, change) => {
  expect(isClientUp({ ...client, ...change })).toBe(false);
});
