import { describe, expect, test } from "bun:test";
import { Duplex } from "node:stream";
import { createPings } from "../../../src/agent/listeners/pings.ts";
import type { Hello } from "../../../src/wire/hello.ts";
import { PING_COUNT_MAX, type PingAnswer } from "../../../src/wire/ping.ts";
import { until } from "../../support/until.ts";

const answer: PingAnswer = { nowMs: 1, version: "0", mapAgeSeconds: 3, connected: true, ssh: "on" };

function aHello(source = "d".repeat(20)): Hello {
  return { source, target: "m".repeat(20), port: 7, timeSeconds: 1, nonce: "n".repeat(22) };
}

/** The agent's end of a stream: what the client sends is pushed, what the agent says is kept. */
function aStream(): Duplex & { said: string } {
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      stream.said += chunk.toString();
      done();
    },
  }) as Duplex & { said: string };
  stream.said = "";
  return stream;
}

const lines = ({ said }: { said: string }) => said.split("\n").length - 1;

describe("an agent's answers to pings", () => {
  test("begin with one that nobody asked for, and follow each question", async () => {
    const pings = createPings({ mayGoOn: () => true, answer: () => answer });
    const stream = aStream();
    pings.accept(stream, aHello());
    expect(JSON.parse(stream.said)).toEqual(answer);
    stream.push("pi");
    stream.push("ng\nping\n");
    await until("both answers", () => lines(stream) === 3);
    pings.close();
    expect(stream.destroyed).toBe(true);
  });

  test.each(["GET / HTTP/1.1\r\n", "ping\r\n", "pingping\n", "SSH-2.0-x\r\n"])(
    "end at anything that is no question: %j",
    async (text) => {
      const stream = aStream();
      createPings({ mayGoOn: () => true, answer: () => answer }).accept(stream, aHello());
      stream.push(text);
      await until("its end", () => stream.destroyed);
      expect(lines(stream)).toBe(1);
    },
  );

  test("end at once when the rules have changed since", async () => {
    let isOpen = true;
    const stream = aStream();
    createPings({ mayGoOn: () => isOpen, answer: () => answer }).accept(stream, aHello());
    isOpen = false;
    stream.push("ping\n");
    await until("its end", () => stream.destroyed);
    expect(lines(stream)).toBe(1);
  });

  test("are bounded on one stream", async () => {
    const stream = aStream();
    createPings({ mayGoOn: () => true, answer: () => answer }).accept(stream, aHello());
    stream.push("ping\n".repeat(PING_COUNT_MAX + 10));
    await until("its end", () => stream.destroyed);
    expect(lines(stream)).toBe(PING_COUNT_MAX);
  });

  test("are for a few streams of one device at once, others beside it are not kept away", () => {
    const pings = createPings({ mayGoOn: () => true, answer: () => answer });
    const streams = Array.from({ length: 9 }, aStream);
    for (const stream of streams) pings.accept(stream, aHello());
    expect(streams.map(lines)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0]);
    const other = aStream();
    pings.accept(other, aHello("e".repeat(20)));
    expect(lines(other)).toBe(1);
    pings.close();
  });
});
