import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { notifySystemd, watchdogMs } from "../../src/base/sd-notify.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** Receives one datagram at `path`, where "@" stands for an abstract name. */
const RECEIVE = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", chr(0)))
print("bound", flush=True)
print(s.recv(100).decode(), flush=True)
`;

describe("notifySystemd", () => {
  test.each(["path", "abstract name"])("sends what it is given to a %s", async (kind) => {
    const folder = tempFolder();
    const path = kind === "path" ? join(folder, "notify") : `@${folder}/notify`;
    const receiver = Bun.spawn(["python3", "-c", RECEIVE, path], { stdout: "pipe" });
    const output = receiver.stdout.pipeThrough(new TextDecoderStream());
    let text = "";
    for await (const part of output) {
      const wasBound = text.startsWith("bound");
      text += part;
      if (wasBound || !text.startsWith("bound")) continue;
      expect(notifySystemd("READY=1", { NOTIFY_SOCKET: path })).toBe(true);
    }
    expect(text).toBe("bound\nREADY=1\n");
  });

  test.each([undefined, "", "relative", "/nowhere/notify", `/${"x".repeat(200)}`])(
    "to %p sends nothing",
    (path) => {
      expect(notifySystemd("READY=1", path === undefined ? {} : { NOTIFY_SOCKET: path })).toBe(false);
    },
  );
});

test.each([
  [{ NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "120000000" }, 60_000],
  [{ WATCHDOG_USEC: "120000000" }, null],
  [{ NOTIFY_SOCKET: "/run/n" }, null],
  [{ NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "x" }, null],
  [{ NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "0" }, null],
])("with %p the watchdog wants to hear every %p ms", (environment, want) => {
  expect(watchdogMs(environment)).toBe(want);
});
