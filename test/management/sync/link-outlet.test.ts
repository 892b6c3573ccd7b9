import { expect, test } from "bun:test";
import { LinkOutlet, type OutletSocket } from "../../../src/management/sync/link-outlet.ts";

const MIB = 1024 * 1024;

function anOutlet() {
  const socket = { sent: [] as string[], unread: 0, drops: false, closes: 0 };
  const like = {
    send: (text: string) => {
      if (socket.drops) return 0;
      socket.sent.push(text);
      return text.length;
    },
    getBufferedAmount: () => socket.unread,
    close: () => {
      socket.closes += 1;
    },
  } as unknown as OutletSocket;
  let tooSlow = 0;
  const outlet = new LinkOutlet(like, () => {
    tooSlow += 1;
  });
  return { socket, outlet, tooSlow: () => tooSlow };
}

test("an agent that reads is sent everything", () => {
  const { socket, outlet } = anOutlet();
  socket.unread = MIB;
  outlet.send("a");
  outlet.send("b");
  expect({ sent: socket.sent, state: outlet.state }).toEqual({ sent: ["a", "b"], state: "flowing" });
});

test("an agent with more than a MiB unread is slow until it has read", () => {
  const { socket, outlet, tooSlow } = anOutlet();
  socket.unread = MIB + 1;
  outlet.send("a");
  expect(outlet.state).toBe("slow");
  expect(outlet.drained()).toBe(false);
  outlet.send("b"); // What must be said is said also then.
  socket.unread = MIB;
  expect(outlet.drained()).toBe(true);
  expect(outlet.drained()).toBe(false);
  expect({ state: outlet.state, sent: socket.sent, tooSlow: tooSlow() }).toEqual({
    state: "flowing",
    sent: ["a", "b"],
    tooSlow: 0,
  });
  outlet.close();
});

test("a message that the socket dropped ends the link: nothing after it would fit", () => {
  const { socket, outlet, tooSlow } = anOutlet();
  socket.drops = true;
  outlet.send("a");
  expect(tooSlow()).toBe(1);
});

test("after the close nothing is sent, and the socket is closed once", () => {
  const { socket, outlet } = anOutlet();
  outlet.close();
  outlet.close();
  outlet.send("a");
  expect({ ...socket, state: outlet.state, drained: outlet.drained() }).toMatchObject({
    sent: [],
    closes: 1,
    state: "closed",
    drained: false,
  });
});
