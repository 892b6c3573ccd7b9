import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readShortNames, SHORT_NAMES_FILE } from "../../../src/proxy/ssh-config/match.ts";
import {
  keepShortNames,
  noteShortName,
  refreshShortNames,
} from "../../../src/proxy/ssh-config/short-names.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("the list of one domain is replaced as a whole, that of another stays", () => {
  const folder = tempFolder();
  keepShortNames(folder, { domain: "qf.internal", names: ["web1", "db1"] });
  keepShortNames(folder, { domain: "example.org", names: ["web1"] });
  keepShortNames(folder, { domain: "qf.internal", names: ["web2"] });
  expect(readShortNames(folder).sort()).toEqual(["web1.example.org", "web2.qf.internal"]);
  keepShortNames(folder, { domain: "qf.internal", names: [] });
  expect(readShortNames(folder)).toEqual(["web1.example.org"]);
});

test("a connection adds its own target once it is confirmed, and takes it out when it is not any more", () => {
  const folder = tempFolder();
  noteShortName(folder, { name: "web1.qf.internal" });
  expect(readShortNames(folder)).toEqual([]);
  noteShortName(folder, { name: "web1.qf.internal", nameConfirmed: true });
  noteShortName(folder, { name: "web1.qf.internal", nameConfirmed: true });
  noteShortName(folder, { name: "web2.qf.internal", nameConfirmed: false });
  expect(readShortNames(folder)).toEqual(["web1.qf.internal"]);
  noteShortName(folder, { name: "web1.qf.internal", nameConfirmed: false });
  expect(readShortNames(folder)).toEqual([]);
});

test("what is no name is not read, and not kept", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, SHORT_NAMES_FILE), "web1.qf.internal\n../x\n*\n\n-a.qf.internal\n");
  expect(readShortNames(folder)).toEqual(["web1.qf.internal"]);
  noteShortName(folder, { name: "a b.qf.internal", nameConfirmed: true });
  expect(readShortNames(folder)).toEqual(["web1.qf.internal"]);
});

test("without a management server nothing changes", async () => {
  const folder = tempFolder();
  expect(await refreshShortNames({ environment: { HOME: folder }, configDir: undefined })).toBeUndefined();
});
