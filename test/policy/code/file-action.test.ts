import { expect, test } from "bun:test";
import { actionOf, actionText, fileActionOf } from "../../../src/policy/code/file-action.ts";
import type { FileAction } from "../../../src/wire/policy-file.ts";

const rows: [written: FileAction, text: string][] = [
  ["connect", "connect"],
  ["agent_forwarding", "agent_forwarding"],
  [{ exec: "/usr/bin/uptime -p" }, "exec /usr/bin/uptime -p"],
  [{ forward: "db:5432" }, "forward db:5432"],
  [{ forward: "[fd00::1]:22" }, "forward [fd00::1]:22"],
  [{ remote_forward: "localhost:80" }, "remote_forward localhost:80"],
  [{ forward_socket: "/run/x" }, "forward_socket /run/x"],
  [{ remote_forward_socket: "/run/x" }, "remote_forward_socket /run/x"],
];

test.each(rows)("%j is an action, and is written the same again", (written, text) => {
  const action = actionOf(written);
  if (action === null) throw new Error("is none");
  expect(fileActionOf(action)).toEqual(written);
  expect(actionText(action)).toBe(text);
});

test.each(["db:0", "db:70000"])("%s is no address", (forward) => {
  expect(actionOf({ forward })).toBeNull();
});
