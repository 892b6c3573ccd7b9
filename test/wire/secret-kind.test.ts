import { expect, test } from "bun:test";
import {
  API_TOKEN_PREFIX,
  kindOfSecret,
  SETUP_KEY_PREFIX,
  SSH_TOKEN_PREFIX,
} from "../../src/wire/secret-kind.ts";

test("no two kinds of secret begin alike", () => {
  const prefixes = [API_TOKEN_PREFIX, SSH_TOKEN_PREFIX, SETUP_KEY_PREFIX];
  expect(new Set(prefixes.map((prefix) => kindOfSecret(`${prefix}abc`))).size).toBe(3);
});

test.each([
  ["qfp_abc", "api_token"],
  ["qft_abc", "ssh_token"],
  ["qfs_abc", "setup_key"],
  ["QFP_abc", null],
  [" qfp_abc", null],
  ["A2C8E62B-38F5-4553-B31E-DD66C696CEBB", null],
  ["", null],
] as const)("%j is %p", (secret, kind) => {
  expect(kindOfSecret(secret)).toBe(kind);
});
