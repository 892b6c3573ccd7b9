/**
 * Unconnected TCP sockets of a forward helper's user, ready before they are needed.
 *
 * A socket belongs to the user who opened it, whoever connects it: in /proc/net/tcp, for netfilter's owner
 * match, and by its cgroup. So the helper opens sockets ahead, and the agent connects them to loopback
 * addresses itself, which answer at once. That saves a stream two changes of process, and many streams
 * opened at once share an order.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { connectTcpSocket } from "../../base/tcp-connect.ts";
import { ForwardHelperError } from "./forward-helper-error.ts";
import { DIAL_TIMEOUT_MS, failureOf, SOCKETS_MAX } from "./forward-helper-protocol.ts";
import { setNonBlocking } from "./libc.ts";

/** Sockets of a family that are ordered ahead, once no more than half of them are left. */
const AHEAD = 16;

type Family = 4 | 6;

/** Orders sockets. Resolves with at least one, or rejects with ForwardHelperError. */
export type OrderSockets = (family: Family, count: number) => Promise<readonly number[]>;

interface Waiting {
  resolve(fd: number): void;
  reject(cause: unknown): void;
}

interface Stock {
  readonly ready: number[];
  readonly waiting: Waiting[];
  isOrdered: boolean;
}

/** The family of a loopback address. Null: another address. */
export function loopbackFamily(address: string): Family | null {
  if (/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)) return 4;
  return address === "::1" ? 6 : null;
}

export class SocketPool {
  readonly #order: OrderSockets;
  readonly #stocks: Readonly<Record<Family, Stock>> = { 4: emptyStock(), 6: emptyStock() };
  #isClosed = false;

  constructor(order: OrderSockets) {
    this.#order = order;
  }

  /**
   * Returns a socket of the user connected to `address`, of `family`. The caller closes it. Throws
   * ForwardHelperError.
   */
  async dial(family: Family, address: string, port: number): Promise<number> {
    const fd = await this.#take(family);
    const endMs = performance.now() + DIAL_TIMEOUT_MS;
    const isWanted = (): boolean => !this.#isClosed && performance.now() < endMs;
    const connected = await connectTcpSocket(fd, { address, port }, isWanted).catch((cause: unknown) => {
      throw new ForwardHelperError(failureOf(cause));
    });
    if (connected === null) throw new ForwardHelperError(this.#isClosed ? "failed" : "timeout");
    return connected;
  }

  /** Closes unused sockets; nothing is dialled any more. */
  close(): void {
    this.#isClosed = true;
    for (const stock of Object.values(this.#stocks)) {
      for (const fd of stock.ready.splice(0)) closeSync(fd);
      rejectAll(stock, new ForwardHelperError("failed"));
    }
  }

  #take(family: Family): Promise<number> {
    if (this.#isClosed) return Promise.reject(new ForwardHelperError("failed"));
    const stock = this.#stocks[family];
    const fd = stock.ready.pop();
    const taken =
      fd === undefined
        ? new Promise<number>((resolve, reject) => stock.waiting.push({ resolve, reject }))
        : Promise.resolve(fd);
    this.#fill(family);
    return taken;
  }

  /** Once this turn's streams have taken theirs, orders what they wait for and some ahead. */
  #fill(family: Family): void {
    const stock = this.#stocks[family];
    if (stock.isOrdered || (stock.waiting.length === 0 && stock.ready.length > AHEAD / 2)) return;
    stock.isOrdered = true;
    // After a stream that needs no order has been connected.
    setImmediate(() => void this.#fetch(family));
  }

  async #fetch(family: Family): Promise<void> {
    const stock = this.#stocks[family];
    try {
      const count = Math.min(SOCKETS_MAX, AHEAD + stock.waiting.length);
      for (const fd of await this.#order(family, count)) this.#add(stock, fd);
      stock.isOrdered = false;
      if (stock.waiting.length > 0) this.#fill(family);
    } catch (cause) {
      stock.isOrdered = false;
      rejectAll(stock, cause);
    }
  }

  #add(stock: Stock, fd: number): void {
    if (this.#isClosed) {
      closeSync(fd);
      return;
    }
    setNonBlocking(fd);
    const waiting = stock.waiting.shift();
    if (waiting === undefined) stock.ready.push(fd);
    else waiting.resolve(fd);
  }
}

function emptyStock(): Stock {
  return { ready: [], waiting: [], isOrdered: false };
}

function rejectAll(stock: Stock, cause: unknown): void {
  for (const { reject } of stock.waiting.splice(0)) reject(cause);
}
