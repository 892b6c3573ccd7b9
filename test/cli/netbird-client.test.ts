import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { readNetBird } from "../../src/cli/netbird-client.ts";
import { NETBIRD, serveNetBird } from "../support/netbird-server.ts";
import { tempFolder } from "../support/temp-folder.ts";

function tokenFile(text: string): string {
  const path = join(tempFolder(), "token");
  writeFileSync(path, text);
  return path;
}

const codeOf = async (work: Promise<unknown>) => {
  const error = await work.catch((thrown: unknown) => thrown);
  return isQfError(error) ? error.code : error;
};

test("an account is read, and nothing is written there", async () => {
  const server = serveNetBird();
  const { groups, users, setupKeys, policies } = await readNetBird(server.url, tokenFile("nbp_secret\n"));
  expect([groups.length, users.length, setupKeys.length, policies.length]).toEqual([3, 3, 3, 2]);
  expect(server.asked).toEqual(
    ["groups", "users", "setup-keys", "policies"].map((path) => `GET /api/${path}`),
  );
  await server.stop();
});

test.each<[what: string, account: Record<string, unknown>, code: string]>([
  ["has no such list", { ...NETBIRD, policies: undefined }, "ERR_UNAVAILABLE"],
  ["answers in another shape", { ...NETBIRD, groups: [{ name: 1 }] }, "ERR_UNAVAILABLE"],
  ["answers with a page", { ...NETBIRD, groups: new Response("<html>") }, "ERR_UNAVAILABLE"],
  [
    "sends the token elsewhere",
    { ...NETBIRD, groups: Response.redirect("http://127.0.0.1:9/", 302) },
    "ERR_UNAVAILABLE",
  ],
])("a server that %s is not believed", async (_what, account, code) => {
  const server = serveNetBird(account);
  expect(await codeOf(readNetBird(server.url, tokenFile("nbp_secret")))).toBe(code);
  await server.stop();
});

test("a token that NetBird does not take is said to be that", async () => {
  const server = serveNetBird();
  expect(await codeOf(readNetBird(server.url, tokenFile("nbp_other")))).toBe("ERR_UNAUTHENTICATED");
  await server.stop();
});

test.each([
  ["an empty file", ""],
  ["two lines", "nbp_a\nnbp_b"],
  ["no ASCII", "nbp_é"],
])("%s is no token, and nothing is asked", async (_what, text) => {
  const server = serveNetBird();
  expect(await codeOf(readNetBird(server.url, tokenFile(text)))).toBe("ERR_USAGE");
  expect(server.asked).toEqual([]);
  await server.stop();
});

test("a token never goes to another machine without TLS", async () => {
  expect(await codeOf(readNetBird("http://netbird.example.com", tokenFile("nbp_secret")))).toBe("ERR_USAGE");
});
