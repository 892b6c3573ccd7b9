import { expect, test } from "bun:test";
import { SshReader } from "../../src/base/ssh-buffer.ts";
import {
  bannerMessage,
  channelOpenFailure,
  DISCONNECT,
  debugMessage,
  disconnectMessage,
  MESSAGE,
  OPEN_FAILURE,
} from "../../src/sshcore/messages.ts";

test("a banner is that of RFC 4252 section 5.4: text and language", () => {
  const reader = new SshReader(bannerMessage("Grüße\r\n"));
  expect([reader.uint8(), reader.text(100), reader.text(10)]).toEqual([53, "Grüße\r\n", ""]);
  reader.end();
});

test("a disconnect is that of RFC 4253 section 11.1: reason, text and language", () => {
  const reader = new SshReader(disconnectMessage(DISCONNECT.BY_APPLICATION, "over"));
  expect([reader.uint8(), reader.uint32(), reader.text(100), reader.text(10)]).toEqual([1, 11, "over", ""]);
  reader.end();
});

test("a debug message is that of RFC 4253 section 11.3, always to be shown", () => {
  const reader = new SshReader(debugMessage("why"));
  expect([reader.uint8(), reader.bool(), reader.text(100), reader.text(10)]).toEqual([4, true, "why", ""]);
  reader.end();
});

test("a refused channel is that of RFC 4254 section 5.1: its number, reason, text and language", () => {
  const reader = new SshReader(channelOpenFailure(7, OPEN_FAILURE.ADMINISTRATIVELY_PROHIBITED, "no"));
  expect([reader.uint8(), reader.uint32(), reader.uint32(), reader.text(100), reader.text(10)]).toEqual([
    MESSAGE.CHANNEL_OPEN_FAILURE,
    7,
    1,
    "no",
    "",
  ]);
  reader.end();
});
