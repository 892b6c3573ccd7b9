import { afterEach, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  openDescriptorSocket,
  openStreamSocket,
  receiveDescriptor,
  sendDescriptor,
  sendWithDescriptors,
} from "../../src/base/descriptors.ts";
import { tempFolder } from "../support/temp-folder.ts";

const opened: number[] = [];
const own = <T extends readonly number[]>(fds: T): T => {
  opened.push(...fds);
  return fds;
};
afterEach(() => {
  for (const fd of opened.splice(0)) closeSync(fd);
});

function openFile(text: string): number {
  const path = join(tempFolder(), "file");
  writeFileSync(path, text);
  return own([openSync(path, "r")])[0] as number;
}

test("a descriptor arrives as another number for the same open file; ours stays open", () => {
  const [near, far] = own(openDescriptorSocket());
  const sent = openFile("text");
  sendDescriptor(near, sent);
  const received = receiveDescriptor(far);
  if (received === null) throw new Error("nothing came");
  own([received]);
  expect(received).not.toBe(sent);
  expect(fstatSync(received).ino).toBe(fstatSync(sent).ino);
  const buffer = Buffer.alloc(8);
  expect(readSync(received, buffer)).toBe(4);
});

test("descriptors arrive in order, one each time, and none is left over", () => {
  const [near, far] = own(openDescriptorSocket());
  const files = [openFile("a"), openFile("b"), openFile("c")];
  for (const fd of files) sendDescriptor(near, fd);
  const received = own(files.map(() => receiveDescriptor(far) ?? -1));
  expect(received.map((fd) => fstatSync(fd).ino)).toEqual(files.map((fd) => fstatSync(fd).ino));
  expect(receiveDescriptor(far)).toBeNull();
});

test("a message has its bytes, and its descriptors with the first; the next one has nothing of it", () => {
  const [near, far] = own(openStreamSocket());
  const sent = openFile("text");
  const send = (text: string, fds: readonly number[]) => sendWithDescriptors(near, Buffer.from(text), fds);
  const rest = Buffer.alloc(8);
  for (const text of ["abc", "xy"]) {
    send(text, [sent]);
    const received = receiveDescriptor(far);
    if (received === null) throw new Error("nothing came");
    own([received]);
    expect(fstatSync(received).ino).toBe(fstatSync(sent).ino);
    expect(rest.toString("latin1", 0, readSync(far, rest))).toBe(text.slice(1));
  }
  send("z", []);
  expect(receiveDescriptor(far)).toBeNull();
  // What is no open file, and more than the kernel takes at once.
  for (const fds of [[10_000], Array<number>(254).fill(sent)]) {
    expect(() => send("z", fds)).toThrow(expect.objectContaining({ code: "ERR_UNAVAILABLE" }));
  }
  send("z", Array<number>(253).fill(sent));
});

test("bytes without a descriptor are no descriptor, and neither is the end of the socket", () => {
  const [near, far] = openDescriptorSocket();
  writeSync(near, "x");
  expect(receiveDescriptor(far)).toBeNull();
  closeSync(near);
  expect(receiveDescriptor(far)).toBeNull();
  closeSync(far);
});

test("nobody at the other end is ERR_UNAVAILABLE, not a signal that ends the process", () => {
  const [near, far] = openStreamSocket();
  closeSync(far);
  expect(() => sendDescriptor(near, 0)).toThrow(expect.objectContaining({ code: "ERR_UNAVAILABLE" }));
  closeSync(near);
});

test("what is no open file cannot be sent", () => {
  const [near] = own(openDescriptorSocket());
  expect(() => sendDescriptor(near, 10_000)).toThrow(expect.objectContaining({ code: "ERR_UNAVAILABLE" }));
});

test("no child inherits either kind of socket", () => {
  const fds = [...own(openStreamSocket()), ...own(openDescriptorSocket())];
  const script = `for (const fd of ${JSON.stringify(fds)}) {
    try { const s = require("fs").fstatSync(fd); if (s.isSocket()) process.stdout.write(fd + " "); } catch {}
  }`;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { stdin: "ignore" });
  expect(stdout.toString()).toBe("");
});
