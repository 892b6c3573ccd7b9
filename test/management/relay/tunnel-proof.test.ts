import { expect, test } from "bun:test";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { acceptTunnel, dialTunnel, readTunnelDial } from "../../../src/management/relay/tunnel-proof.ts";

const scope = { origin: "https://qf.example.com", key: generateEd25519() };
const between = { from: "p1", to: "p2", nowSeconds: 1_000 };

function opened() {
  const dialling = dialTunnel(scope, between);
  const dial = readTunnelDial(scope, dialling.header);
  if (dial === null) throw new Error("the dial was not read");
  const accepted = acceptTunnel(scope, dial);
  if (accepted === null) throw new Error("the dial was not accepted");
  return { dialling, dial, accepted };
}

test("both ends prove themselves and share keys that nobody else has", () => {
  const { dialling, dial, accepted } = opened();
  expect(dial).toMatchObject({ from: "p1", to: "p2", timeSeconds: 1_000 });
  const seal = dialling.finish(accepted.message);
  expect(accepted.seal.open(seal?.seal(Buffer.from("there")) ?? Buffer.alloc(0))?.toString()).toBe("there");
  expect(seal?.open(accepted.seal.seal(Buffer.from("back")))?.toString()).toBe("back");
});

test.each([
  ["another cluster's key", { ...scope, key: generateEd25519() }],
  ["another origin", { ...scope, origin: "https://qf.example.org" }],
])("a dial for %s is not read", (_, other) => {
  expect(readTunnelDial(other, dialTunnel(scope, between).header)).toBeNull();
});

test("a dial with anything changed is not read", () => {
  const { header } = dialTunnel(scope, between);
  const [body = "", signature = ""] = header.split(" ");
  const changed = { ...JSON.parse(Buffer.from(body, "base64url").toString()), to: "p3" };
  const forged = `${Buffer.from(JSON.stringify(changed)).toString("base64url")} ${signature}`;
  for (const other of [forged, body, `${body} `, `${header} `, "", `${body} ${"A".repeat(86)}`]) {
    expect(readTunnelDial(scope, other)).toBeNull();
  }
});

test("an answer counts for its own dial only, from a process of the cluster", () => {
  const first = opened();
  const second = opened();
  expect(first.dialling.finish(second.accepted.message)).toBeNull();
  const stranger = acceptTunnel({ ...scope, key: generateEd25519() }, first.dial);
  expect(first.dialling.finish(stranger?.message)).toBeNull();
  for (const message of [undefined, "", "{}", Buffer.from(first.accepted.message), "x".repeat(2_000)]) {
    expect(first.dialling.finish(message)).toBeNull();
  }
});

test.each([
  ["zero", Buffer.alloc(32)],
  ["one", Buffer.from([1, ...Buffer.alloc(31)])],
])("a key that is the point %s, of small order, is not accepted", (_, point) => {
  const { dial } = opened();
  expect(acceptTunnel(scope, { ...dial, key: point.toString("base64url") })).toBeNull();
});
