/** Logins without management: each row is one step from what is taken, with the reason it is refused for. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { sha256 } from "../../../src/base/random.ts";
import { UNPROVEN_SENTENCE } from "../../../src/policy/sentences.ts";
import type { MapPeer, MapUser, NetworkMap } from "../../../src/wire/network-map.ts";
import { openSshClient } from "../../support/openssh-client.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { anId, aPeer, aUser } from "../../support/policy.ts";
import {
  type Credential,
  type OfflineChange,
  openTestSshServer,
  type TestSshServer,
} from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";

const USER = "root";
const tabletKey = generateEd25519();
const now = Math.floor(systemClock.nowMs() / 1000);
let world: TestSshServer;
beforeEach(async () => {
  world = await openTestSshServer();
  world.offlineLogins = "taken";
});
afterEach(() => world.close());

/** What came of it: "in", the reason of a denial with a receipt, or "unproven". */
async function outcome(credential: Credential): Promise<{ result: string; banner: string }> {
  const answer = await signIn(world, { ...credential, localUser: USER });
  answer.client.end();
  const reason = world.eventsOf("decision").at(-1)?.decision.reason;
  return { result: answer.isIn ? "in" : (reason ?? "unproven"), banner: answer.banner };
}

const setServerContext = (change: Partial<TestSshServer>) => () => void Object.assign(world, change);
const setMap = (change: Partial<NetworkMap>) => () => world.change((map) => ({ ...map, ...change }));
const setUser = (change: Partial<MapUser>) => () =>
  world.change((map) => ({ ...map, users: { [anId("alice")]: { ...aUser("alice", ["devs"]), ...change } } }));
const setDevice = (change: Partial<MapPeer>) => () =>
  world.change((map) => {
    const laptop = map.peers[anId("laptop")] ?? aPeer("laptop", []);
    return { ...map, peers: { [laptop.id]: { ...laptop, ...change } } };
  });
const pin = (issuer: string, audience: string) => setServerContext({ pinned: { issuer, audience } });

type Row = [what: string, result: string, change: OfflineChange, arrange?: () => void];

describe.skipIf(!isRoot)("a certificate that a login key has signed for itself", () => {
  test("lets in while management is away, and audit says how", async () => {
    expect(await outcome(await world.issueOffline())).toEqual({ result: "in", banner: "" });
    expect(world.eventsOf("decision")[0]).toMatchObject({
      request: { userId: anId("alice"), devicePeerId: anId("laptop") },
      binding: "idp",
      offline: true,
    });
    expect(world.eventsOf("connection.open")[0]).toMatchObject({ certificateSerial: null, offline: true });
    expect(world.waits).toEqual([]);
  });

  test("lets in also where no hello was sent, by the device that has signed", async () => {
    world.sourcePeerId = null;
    expect((await outcome(await world.issueOffline())).result).toBe("in");
    expect(world.eventsOf("connection.open")[0]).toMatchObject({ path: "plain", offline: true });
  });

  test("is not told from a certificate of management in what it may do", async () => {
    expect((await outcome(await world.issue())).result).toBe("in");
    expect(world.eventsOf("decision")[0]).not.toHaveProperty("offline");
  });

  const unproven: Row[] = [
    ["without the flag", "unproven", {}, setServerContext({ offlineLogins: "off" })],
    ["for another machine", "unproven", { targetPeerId: anId("web2") }],
    ["of ten minutes ago", "unproven", { nowSeconds: now - 600 }],
    ["from the future", "unproven", { nowSeconds: now + 600 }],
    ["whose device signature is another device's", "unproven", { deviceKey: tabletKey }],
    ["that names another device than the hello", "unproven", { identity: { devicePeerId: anId("tablet") } }],
    [
      "of another account",
      "unproven",
      { scope: { accountId: anId("other"), origin: "https://qf.example.com" } },
    ],
    ["of a device that is not in the map", "unproven", {}, setMap({ peers: {} })],
    ["of binding ca", "unproven", { identity: { binding: "ca" } }],
    ["of binding service", "unproven", { identity: { binding: "service" } }],
    ["of binding device", "unproven", { identity: { binding: "device" } }],
    ["with management's token of binding idp", "unproven", { token: "management" }],
    ["with a token that names another key", "unproven", { idTokenClaims: { nonce: "x".repeat(43) } }],
    ["with a token without a nonce", "unproven", { idTokenClaims: { nonce: undefined } }],
    ["with a token of another issuer", "unproven", { idTokenClaims: { iss: "https://evil.example.com" } }],
    ["with a token for another audience", "unproven", { idTokenClaims: { aud: "other" } }],
    ["with a token of another person", "unproven", { idTokenClaims: { sub: "mallory" } }],
    ["with a token of no known key", "unproven", { idToken: "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.c2ln" }],
    ["of another issuer than the pinned", "unproven", {}, pin("https://other.example.com", "qufabric")],
    ["for another audience than the pinned", "unproven", {}, pin("https://idp.example.com", "other")],
  ];
  const proven: Row[] = [
    [
      "with an expired token where the issuer is pinned",
      "token_too_old",
      { idTokenClaims: { iat: now - 900, auth_time: now - 900, exp: now - 300 } },
      pin("https://idp.example.com", "qufabric"),
    ],
    ["while management is heard", "management_reachable", {}, setServerContext({ offlineLogins: "waiting" })],
    [
      "with a token older than the login cap",
      "token_too_old",
      { idTokenClaims: { iat: now - 50_000, auth_time: now - 50_000 } },
    ],
    ["with a token from the future", "clock_skew", { idTokenClaims: { iat: now + 300, exp: now + 900 } }],
    ["of a person the map does not know", "peer_not_authorized", {}, setMap({ users: {} })],
    [
      "of a person who says to be another one",
      "peer_not_authorized",
      { identity: { userId: anId("bob") } },
      setMap({ users: { [anId("bob")]: aUser("bob", ["devs"]) } }),
    ],
    [
      "of another issuer's person of that name",
      "peer_not_authorized",
      {},
      setUser({ issuer: "https://other.example.com" }),
    ],
    ["of a blocked person", "user_blocked", {}, setUser({ status: "blocked" })],
    ["of a person in no group of the rule", "peer_not_authorized", {}, setUser({ groups: [] })],
    ["from a device of another person", "device_unknown", {}, setDevice({ ownerUserId: anId("bob") })],
    ["from a device of nobody", "device_unknown", {}, setDevice({ ownerUserId: null })],
    ["from a machine", "device_unknown", {}, setDevice({ kind: "machine" })],
    ["of a service user", "peer_not_authorized", {}, setUser({ isService: true })],
    ["of a blocked device", "device_blocked", {}, setDevice({ status: "blocked" })],
    ["of a device that waits for approval", "device_pending", {}, setDevice({ status: "pending" })],
    ["without a rule", "peer_not_authorized", {}, setMap({ rules: {} })],
    ["for root on a map of six minutes ago", "map_stale", {}, setServerContext({ mapAgeSeconds: 360 })],
    [
      "for a machine that takes machines only",
      "machine_identity_only",
      {},
      setServerContext({ sshAuth: false }),
    ],
    [
      "for root without its flag",
      "root_disabled",
      {},
      () => setServerContext({ flags: { ...world.flags, sshRoot: false } })(),
    ],
  ];

  test.each(unproven)("%s is refused, and says to nobody why: %s", async (_what, result, change, arrange) => {
    arrange?.();
    const answer = await outcome(await world.issueOffline(change));
    expect(answer.result).toBe(result);
    expect(answer.banner).toContain(UNPROVEN_SENTENCE);
  });

  test.each(proven)("%s is refused: %s", async (_what, result, change, arrange) => {
    arrange?.();
    const answer = await outcome(await world.issueOffline(change));
    expect(answer.result).toBe(result);
    expect(answer.banner).toContain("receipt");
  });

  test("of a login that the map knows to be ended is refused", async () => {
    const credential = await world.issueOffline();
    const id = sha256(sshBlobOfEd25519(credential.loginKey.publicKey));
    world.change((map) => ({ ...map, revokedLogins: { [id]: { id, untilSeconds: now + 3600 } } }));
    expect((await outcome(credential)).result).toBe("login_revoked");
  });

  test("is of no use to who has it and not its key", async () => {
    const credential = await world.issueOffline();
    const answer = await signIn(world, { ...credential, localUser: USER, signWith: generateEd25519() });
    expect(answer.isIn).toBe(false);
    expect(world.eventsOf("decision")).toEqual([]);
  });

  test("is refused when one byte of it was changed", async () => {
    const credential = await world.issueOffline();
    const text = credential.certificate.toString("latin1");
    const changed = Buffer.from(text.replace(anId("laptop"), anId("tablet")), "latin1");
    expect(changed.equals(credential.certificate)).toBe(false);
    expect((await outcome({ ...credential, certificate: changed })).result).toBe("unproven");
  });

  test("of another login is of no use with this one's key", async () => {
    const [one, other] = [await world.issueOffline(), await world.issueOffline()];
    const mixed = { loginKey: one.loginKey, certificate: other.certificate };
    expect((await outcome(mixed)).result).toBe("unproven");
  });

  test.each([
    ["off", false],
    ["waiting", true],
    ["taken", true],
  ] as const)("asked about without a signature tells of the flag alone: %s", async (state, isTaken) => {
    world.offlineLogins = state;
    // A stock client asks before it signs; where the machine is, it does not tell.
    const stock = openSshClient(world, await world.issueOffline());
    try {
      const { stderr } = await stock.run(USER, ["true"], { flags: ["-v"] });
      expect(stderr.includes("Server accepts key")).toBe(isTaken);
      expect(stderr).toContain("Offering public key");
    } finally {
      stock.remove();
    }
  });

  test("ends when the flag is turned off, and not because management is back", async () => {
    const answer = await signIn(world, { ...(await world.issueOffline()), localUser: USER });
    let isClosed = false;
    const closed = new Promise<void>((resolve) => answer.client.on("close", () => resolve()));
    void closed.then(() => {
      isClosed = true;
    });
    world.offlineLogins = "waiting";
    world.server.recheck();
    await Bun.sleep(100);
    expect(isClosed).toBe(false);
    world.offlineLogins = "off";
    world.server.recheck();
    await closed;
  });

  test("ends when a newer map no longer lets its person in", async () => {
    const answer = await signIn(world, { ...(await world.issueOffline()), localUser: USER });
    expect(answer.isIn).toBe(true);
    const closed = new Promise<void>((resolve) => answer.client.on("close", () => resolve()));
    world.offlineLogins = "waiting";
    world.change((map) => ({ ...map, rules: {} }));
    await closed;
  });
});
