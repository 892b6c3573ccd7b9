import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DOMAINS_FILE,
  knownHostsFile,
  runMatch,
  SHORT_NAMES_FILE,
} from "../../../src/proxy/ssh-config/match.ts";
import { HOSTILE_NAMES } from "../../support/hostile-names.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const DOMAIN = ["--domain", "qf.internal"];

describe("qf proxy match", () => {
  const home = "/nonexistent";
  test.each([
    ["web1.qf.internal", 0],
    ["WEB1.QF.Internal", 0],
    ["phone.ada.device.qf.internal", 0],
    ["100.64.0.1", 0],
    ["100.127.255.254", 0],
    ["100.63.255.255", 1],
    ["100.128.0.1", 1],
    ["100.64.0.01", 1],
    ["100.64.0.256", 1],
    ["100.64.0", 1],
    ["qf.internal", 1],
    ["web1", 1],
    ["web1.qf.internal.", 1],
    ["web1.qf.internal.example.com", 1],
    ["web1qf.internal", 1],
    ["-web1.qf.internal", 1],
    ["web_1.qf.internal", 1],
    ["web1..qf.internal", 1],
    [`${"a".repeat(64)}.qf.internal`, 1],
    ["", 1],
    ["--domain", 1],
  ])("of %p ends with %i", (host, status) => {
    expect(runMatch([...DOMAIN, host], { HOME: home })).toBe(status);
  });

  test.each(HOSTILE_NAMES)("takes %p for no peer", (name) => {
    for (const host of [name, `${name}.qf.internal`, `web1${name}.qf.internal`, `100.64.${name}`]) {
      expect(runMatch([...DOMAIN, host], { HOME: home })).toBe(1);
    }
  });

  test("without a domain knows those that were connected to, and nothing without any", () => {
    const home = tempFolder();
    expect(runMatch(["web1.qf.internal"], { HOME: home })).toBe(1);
    const folder = join(home, ".config/qufabric/openssh");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, DOMAINS_FILE), "qf.internal\n*\n../x\n");
    expect(runMatch(["web1.qf.internal"], { HOME: home })).toBe(0);
    expect(runMatch(["web1.example.com"], { HOME: home })).toBe(1);
  });

  test("takes a short name only of a machine whose name an administrator has confirmed", () => {
    const home = tempFolder();
    const folder = join(home, ".config/qufabric/openssh");
    mkdirSync(folder, { recursive: true });
    expect(runMatch([...DOMAIN, "web1"], { HOME: home })).toBe(1);
    writeFileSync(join(folder, knownHostsFile("web1.qf.internal")), "{}");
    expect(runMatch([...DOMAIN, "web1"], { HOME: home })).toBe(1);
    writeFileSync(join(folder, SHORT_NAMES_FILE), "web1.qf.internal\nweb2.example.org\n");
    expect(runMatch([...DOMAIN, "web1"], { HOME: home })).toBe(0);
    expect(runMatch([...DOMAIN, "web2"], { HOME: home })).toBe(1);
  });

  test("is silent and says no for arguments that make no sense", () => {
    for (const args of [[], ["a", "b"], ["--domain"], [...DOMAIN], [...DOMAIN, "a.qf.internal", "b"]]) {
      expect(runMatch(args, {})).toBe(1);
    }
  });
});
