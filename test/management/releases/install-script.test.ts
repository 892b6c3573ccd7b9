import { expect, test } from "bun:test";
import { installScript } from "../../../src/management/releases/install-script.ts";

test("the address and the keys are filled in, and nothing else is changed", () => {
  const text = installScript("https://qf.example.com", ["ssh-ed25519 AAAA", "ssh-ed25519 BBBB"]);
  expect(text).toContain("  QF_URL='https://qf.example.com'\n");
  expect(text).toContain("  QF_RELEASE_KEYS='ssh-ed25519 AAAA\nssh-ed25519 BBBB'\n");
  expect(text.length).toBe(
    installScript("", []).length + "https://qf.example.com".length + 2 * "ssh-ed25519 AAAA".length + 1,
  );
});

test.each(["https://x'; id; '", "https://x\\"])("%s cannot stand in a script", (origin) => {
  expect(() => installScript(origin, [])).toThrow(TypeError);
});

test("dollars stay dollars", () => {
  expect(installScript("https://x$&$1", [])).toContain("QF_URL='https://x$&$1'");
});
