import { expect, test } from "bun:test";
import type { Authorization } from "../../../src/agent/ssh-server/authorize.ts";
import {
  CLIENT_ENTRY_BYTES_MAX,
  CLIENT_NAMES_MAX,
  ClientEnvironment,
} from "../../../src/agent/ssh-server/client-environment.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";

const ANY = { env: ["LANG", "X_*"] };
const granted = (capabilities: SshCapabilities): Authorization =>
  ({ kind: "allow", grant: { capabilities } }) as unknown as Authorization;
const nothing = { kind: "deny" } as unknown as Authorization;

/** What a session begun under `capabilities` gets, and what is said. */
function begin(environment: ClientEnvironment, capabilities: SshCapabilities) {
  const said: string[] = [];
  return { taken: [...environment.under(capabilities, (line) => said.push(line))], said };
}

test("takes what is granted, in the last value sent, and says nothing of it", () => {
  const environment = new ClientEnvironment();
  expect(environment.add("LANG", "C", granted(ANY))).toBe(true);
  expect(environment.add("X_A", "1", granted(ANY))).toBe(true);
  expect(environment.add("X_A", "2", granted(ANY))).toBe(true);
  const taken = [
    ["LANG", "C"],
    ["X_A", "2"],
  ];
  expect(begin(environment, ANY) as unknown).toEqual({ taken, said: [] });
});

test.each([
  ["a name that is not granted", "OTHER", "1"],
  ["an entry that the kernel would not hand on", "X_A", "x".repeat(CLIENT_ENTRY_BYTES_MAX - 4)],
  ["a value with an end in it", "X_A", "a\0b"],
])("refuses %s, and names it", (_what, name, value) => {
  const environment = new ClientEnvironment();
  expect(environment.add(name, value, granted(ANY))).toBe(false);
  expect(begin(environment, ANY).said).toEqual([expect.stringContaining(`Not set here: ${name} (`)]);
});

test("takes the longest entry and the last of so many names, and no more", () => {
  const environment = new ClientEnvironment();
  expect(environment.add("X_0", "x".repeat(CLIENT_ENTRY_BYTES_MAX - 5), granted(ANY))).toBe(true);
  for (let i = 1; i < CLIENT_NAMES_MAX; i++) expect(environment.add(`X_${i}`, "1", granted(ANY))).toBe(true);
  for (let i = 0; i < 20; i++) expect(environment.add(`X_Z${i}`, "1", granted(ANY))).toBe(false);
  const { taken, said } = begin(environment, ANY);
  expect(taken).toHaveLength(CLIENT_NAMES_MAX);
  expect(said).toEqual([expect.stringContaining("X_Z7 and 12 more")]);
});

test("bounds what all of them take", () => {
  const environment = new ClientEnvironment();
  const taken = Array.from({ length: 20 }, (_, i) =>
    environment.add(`X_${i}`, "x".repeat(130_000), granted(ANY)),
  );
  expect(taken.filter(Boolean)).toHaveLength(8);
});

test("a grant that names less at the start counts, and the rest is said; a locale is no news", () => {
  const environment = new ClientEnvironment();
  for (const name of ["LANG", "X_A"]) environment.add(name, "1", granted(ANY));
  expect(environment.add("LC_ALL", "C", granted(ANY))).toBe(false);
  expect(environment.add("X_B", "1", nothing)).toBe(false);
  const said = [expect.stringContaining("Not set here: X_A X_B (")];
  expect(begin(environment, { env: ["X_C"] }) as unknown).toEqual({ taken: [], said });
});
