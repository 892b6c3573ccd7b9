import { expect, test } from "bun:test";
import { alertSystem } from "../../../src/agent/os/system-log.ts";

test("an alert is written, whatever is in it, and never throws where there is no such log", () => {
  expect(() => alertSystem("a test of %s and %n\nof the system's log")).not.toThrow();
});
