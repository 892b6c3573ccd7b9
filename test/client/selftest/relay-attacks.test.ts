import { expect, test } from "bun:test";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { runAttacks } from "../../../src/client/selftest/attack.ts";
import { relayAttacks } from "../../../src/client/selftest/relay-attacks.ts";
import { resetFrame } from "../../../src/wire/relay.ts";
import { aWeakManagement } from "../../support/weak-server.ts";

const config = { accountId: "d34hgk3f9s8d7f6g5h4j", origin: "https://qf.example.com" };
const device = { peerId: "d34hgk3f9s8d7f6g5h4k", deviceKey: generateEd25519() };
const nowSeconds = () => 1_795_000_000;

async function outcomes(url: string, own: typeof device | null): Promise<Record<string, string>> {
  const { results } = await runAttacks(relayAttacks(url, { scope: config, device: own, nowSeconds }));
  return Object.fromEntries(results.map(({ id, outcome }) => [id, outcome]));
}

test("every attack is said to break a relay that admits everyone", async () => {
  const server = aWeakManagement(config);
  const found = await outcomes(server.url, device);
  server.close();
  expect(Object.keys(found)).toHaveLength(8);
  expect(new Set(Object.values(found))).toEqual(new Set(["broke"]));
});

test("without a registered device, only what nobody signed is tried", async () => {
  const server = aWeakManagement(config);
  const found = await outcomes(server.url, null);
  server.close();
  const tried = Object.keys(found).filter((id) => found[id] !== "skipped");
  expect(tried).toEqual(["relay_stream_forged", "relay_link_forged"]);
});

test.each([
  [401, "held"],
  [403, "held"],
  // Nothing is known of what a busy or broken relay would have said.
  [429, "skipped"],
  [503, "skipped"],
] as const)("a relay that answers with HTTP status %i: %s", async (status, outcome) => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("", { status }) });
  const found = await outcomes(`http://127.0.0.1:${server.port}`, device);
  await server.stop(true);
  expect(new Set(Object.values(found))).toEqual(new Set([outcome]));
});

test("a relay that believes who asks is said to break, though it refuses the stream", async () => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("", { status: 400 })),
    websocket: { open: (socket) => void socket.send(resetFrame(0, "refused")), message: () => {} },
  });
  const found = await outcomes(`http://127.0.0.1:${server.port}`, device);
  await server.stop(true);
  expect(new Set(Object.values(found))).toEqual(new Set(["broke"]));
});

test("a relay that cannot be reached has not held", async () => {
  const found = await outcomes("http://127.0.0.1:1", device);
  expect(new Set(Object.values(found))).toEqual(new Set(["skipped"]));
});
