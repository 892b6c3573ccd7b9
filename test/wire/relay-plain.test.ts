import { expect, test } from "bun:test";
import { HELLO_BYTES_MAX } from "../../src/wire/hello.ts";
import { parseRelayLine, RELAY_LINE_BYTES_MAX, relayLine } from "../../src/wire/relay-plain.ts";

const proof = "p".repeat(86);

test("a line says what it was made of", () => {
  const claim = { hello: "QUFABRIC/1 abc def", proof };
  expect(parseRelayLine(relayLine(claim).trimEnd())).toEqual(claim);
});

test("the longest hello has room in a line", () => {
  const line = relayLine({ hello: "h".repeat(HELLO_BYTES_MAX - 1), proof });
  expect(line.length).toBeLessThanOrEqual(RELAY_LINE_BYTES_MAX);
});

test.each([
  ["a hello alone", "QUFABRIC/1 abc def"],
  ["another version", `QUFABRIC-RELAY/2 ${proof} QUFABRIC/1 abc def`],
  ["no hello", `QUFABRIC-RELAY/1 ${proof} `],
  ["a proof of another length", `QUFABRIC-RELAY/1 ${proof}p QUFABRIC/1 abc def`],
  ["a character that no header may have", `QUFABRIC-RELAY/1 ${proof} QUFABRIC/1\r abc`],
])("is no line: %s", (_name, line) => {
  expect(parseRelayLine(line)).toBeNull();
});
