import { expect, test } from "bun:test";
import { ProviderFile } from "../../src/wire/provider-file.ts";

test("a provider file of this format is read, with what a later version adds, and no other", () => {
  const file = { format: 1, origin: "https://qf.example.com", external: null };
  expect(ProviderFile.safeParse(file).success).toBe(true);
  expect(ProviderFile.safeParse({ ...file, later: true }).success).toBe(true);
  expect(ProviderFile.safeParse({ ...file, format: 2 }).success).toBe(false);
  expect(ProviderFile.safeParse({ ...file, external: { issuer: "https://idp.example.com" } }).success).toBe(
    false,
  );
});
