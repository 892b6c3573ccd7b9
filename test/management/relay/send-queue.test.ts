import { expect, test } from "bun:test";
import {
  PeerBudget,
  type QueueSocket,
  SendQueue,
  type Waiting,
} from "../../../src/management/relay/send-queue.ts";

class FakeSocket implements QueueSocket {
  readyState: number = WebSocket.OPEN;
  buffered = 0;
  sent = 0;
  send(frame: Buffer): void {
    this.sent += 1;
    this.buffered += frame.length;
  }
  close(): void {
    this.readyState = WebSocket.CLOSING;
  }
  terminate(): void {
    this.readyState = WebSocket.CLOSED;
  }
  getBufferedAmount(): number {
    return this.buffered;
  }
}
const whole = (bytesMax: number): Waiting => ({ bytes: 0, bytesMax });

test("a socket may have so much waiting, and counts it until it is read", () => {
  const socket = new FakeSocket();
  const queue = new SendQueue(socket, whole(1_000), 100);
  expect(queue.canSend(100)).toBe(true);
  expect(queue.canSend(101)).toBe(false);
  queue.send(Buffer.alloc(60));
  expect({ waiting: queue.waitingBytes, more: queue.canSend(41), fits: queue.canSend(40) }).toEqual({
    waiting: 60,
    more: false,
    fits: true,
  });
  expect(queue.isCrowded).toBe(true);
  socket.buffered = 0;
  queue.count();
  expect({ waiting: queue.waitingBytes, isCrowded: queue.isCrowded }).toEqual({
    waiting: 0,
    isCrowded: false,
  });
});

test("sockets together have a bound, and one that is gone gives its bytes back", () => {
  const sum = whole(100);
  const first = new SendQueue(new FakeSocket(), sum, 100);
  const second = new SendQueue(new FakeSocket(), sum, 100);
  first.send(Buffer.alloc(80));
  expect(second.canSend(21)).toBe(false);
  first.closed();
  expect(sum.bytes).toBe(0);
  expect(second.canSend(21)).toBe(true);
});

test("a peer's share counts only while more than half of the sum is taken", () => {
  const sum = whole(1_600);
  const budget = new PeerBudget(sum);
  const greedy = new SendQueue(new FakeSocket(), budget.enter("a"), 1_600);
  expect(greedy.canSend(700)).toBe(true);
  greedy.send(Buffer.alloc(700));
  expect(greedy.canSend(100)).toBe(true);
  greedy.send(Buffer.alloc(101)); // More than half of the sum now.
  expect(greedy.canSend(1)).toBe(false);
  expect(new SendQueue(new FakeSocket(), budget.enter("b"), 1_600).canSend(100)).toBe(true);
  expect(new SendQueue(new FakeSocket(), budget.enter("b"), 1_600).canSend(101)).toBe(false);
});

test("two sockets of a peer share its share, until the last one is gone", () => {
  const budget = new PeerBudget(whole(1_600));
  const share = budget.enter("a");
  expect(budget.enter("a")).toBe(share);
  budget.leave("a");
  expect(budget.enter("a")).toBe(share);
  budget.leave("a");
  budget.leave("a");
  expect(budget.enter("a")).not.toBe(share);
});

test("nothing is sent on a socket that closes", () => {
  const socket = new FakeSocket();
  const queue = new SendQueue(socket, whole(100), 100);
  queue.close();
  queue.send(Buffer.alloc(1));
  expect(socket.sent).toBe(0);
});
