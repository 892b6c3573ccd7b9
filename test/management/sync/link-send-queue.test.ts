import { expect, test } from "bun:test";
import { LinkSendQueue, type QueueSocket } from "../../../src/management/sync/link-send-queue.ts";

const MIB = 1024 * 1024;

function aQueue() {
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
  } as unknown as QueueSocket;
  let tooSlow = 0;
  const queue = new LinkSendQueue(like, () => {
    tooSlow += 1;
  });
  return { socket, queue, tooSlow: () => tooSlow };
}

test("an agent that reads is sent everything", () => {
  const { socket, queue } = aQueue();
  socket.unread = MIB;
  queue.send("a");
  queue.send("b");
  expect({ sent: socket.sent, state: queue.state }).toEqual({ sent: ["a", "b"], state: "flowing" });
});

test("an agent with more than a MiB unread is slow until it has read", () => {
  const { socket, queue, tooSlow } = aQueue();
  socket.unread = MIB + 1;
  queue.send("a");
  expect(queue.state).toBe("slow");
  expect(queue.drained()).toBe(false);
  queue.send("b"); // What must be said is said also then.
  socket.unread = MIB;
  expect(queue.drained()).toBe(true);
  expect(queue.drained()).toBe(false);
  expect({ state: queue.state, sent: socket.sent, tooSlow: tooSlow() }).toEqual({
    state: "flowing",
    sent: ["a", "b"],
    tooSlow: 0,
  });
  queue.close();
});

test("a message that the socket dropped ends the link: nothing after it would fit", () => {
  const { socket, queue, tooSlow } = aQueue();
  socket.drops = true;
  queue.send("a");
  expect(tooSlow()).toBe(1);
});

test("after the close nothing is sent, and the socket is closed once", () => {
  const { socket, queue } = aQueue();
  queue.close();
  queue.close();
  queue.send("a");
  expect({ ...socket, state: queue.state, drained: queue.drained() }).toMatchObject({
    sent: [],
    closes: 1,
    state: "closed",
    drained: false,
  });
});
