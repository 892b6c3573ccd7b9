import { describe, expect, test } from "bun:test";
import { platform, platformFor } from "../../../src/base/platform/platform.ts";

test("this system is one of those", () => {
  expect(platform).toBe(platformFor(process.platform));
});

describe.each(["linux", "darwin", "win32"])("%s", (name) => {
  const on = platformFor(name);

  test("shows a URL by a program that reads it as one word, and never by a shell", () => {
    const url = "https://idp.example.com/?a=1&b=$(x)";
    const command = on.opener(url);
    expect(command.at(-1)).toBe(url);
    expect(command[0]).not.toMatch(/^(?:sh|bash|cmd|powershell)/);
  });

  test("hands descriptors over, and looks for an agent, only where that was tried", () => {
    const isLinux = name === "linux";
    expect([on.seesCallers, on.passesDescriptors, on.machineStateDir !== null]).toEqual(
      Array<boolean>(3).fill(isLinux),
    );
  });
});

test("a system that nobody has named promises what macOS does, under its own name", () => {
  const on = platformFor("freebsd");
  expect(on.title).toBe("freebsd");
  expect([on.seesCallers, on.passesDescriptors]).toEqual([false, false]);
});
