import { expect, test } from "bun:test";
import { findServiceManager } from "../../../src/agent/service/service-manager.ts";

test("an agent on a folder of its own is no service", () => {
  expect(findServiceManager("/tmp/somewhere", { HOME: "/home/x" })).toBeNull();
});
