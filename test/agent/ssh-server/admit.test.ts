/** Each check of the sign-in, one row one step from what is let in, with its own reason in audit. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Client } from "ssh2";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { newId, sha256 } from "../../../src/base/random.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";
import {
  type IssueChange,
  openSshPrivateKey,
  openTestSshServer,
  type TestSshServer,
} from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";

const rootName = "root";
let world: TestSshServer;
beforeEach(async () => {
  world = await openTestSshServer();
});
afterEach(() => world.close());

/** What came of it: "in", or the reason in audit; the banner beside it. */
async function outcome(
  issue: IssueChange = {},
  localUser = rootName,
): Promise<{ reason: string; banner: string }> {
  const credential = await world.issue(issue);
  const answer = await signIn(world, { ...credential, localUser });
  answer.client.end();
  const decision = world.eventsOf("decision").at(-1)?.decision;
  return { reason: answer.isIn ? "in" : (decision?.reason ?? "unproven"), banner: answer.banner };
}

describe.skipIf(!isRoot)("a sign-in", () => {
  test("is let in, and is evidence before it is", async () => {
    expect(await outcome()).toEqual({ reason: "in", banner: "" });
    expect(world.events.slice(0, 2).map((event) => event.type)).toEqual(["decision", "connection.open"]);
    expect(world.eventsOf("connection.open")[0]).toMatchObject({
      userId: anId("alice"),
      devicePeerId: anId("laptop"),
      localUser: "root",
      path: "direct",
      certificateSerial: "7",
      ruleId: anId("rule"),
    });
  });

  const later = Math.floor(performance.timeOrigin / 1000);
  const rows: [string, string, IssueChange, ((world: TestSshServer) => void)?][] = [
    ["a certificate of another CA", "unproven", { caKey: generateEd25519() }],
    ["a certificate for another machine", "wrong_target", { targetPeerId: anId("web2") }],
    ["an expired certificate", "certificate_expired", { nowSeconds: later - 600 }],
    ["a certificate from the future", "clock_skew", { nowSeconds: later + 600 }],
    ["another OS user's certificate", "local_user_not_authorized", { principals: ["deploy"] }],
    ["another device's certificate", "device_unknown", { identity: { devicePeerId: anId("tablet") } }],
    ["a token with another nonce", "token_invalid", { idTokenClaims: { nonce: "x".repeat(43) } }],
    ["a token without nonce", "token_invalid", { idTokenClaims: { nonce: undefined } }],
    ["a token of another issuer", "token_invalid", { idTokenClaims: { iss: "https://evil.example.com" } }],
    ["a token for another audience", "token_invalid", { idTokenClaims: { aud: "other" } }],
    [
      "a token that is too old",
      "token_too_old",
      { idTokenClaims: { iat: later - 50_000, auth_time: later - 50_000 } },
    ],
    ["a token of another person", "token_invalid", { idTokenClaims: { sub: "mallory" } }],
    [
      "an identity that is not the user's",
      "token_invalid",
      { identity: { subject: "mallory" }, idTokenClaims: { sub: "mallory" } },
    ],
    ["no token for a service login", "token_invalid", { identity: { binding: "service" }, token: "none" }],
    ["an ID token for a service login", "token_invalid", { identity: { binding: "service" } }],
    [
      "a person in no group of the rule",
      "peer_not_authorized",
      { identity: { userId: anId("bob"), subject: "bob" }, idTokenClaims: { sub: "bob" } },
    ],
    ["a blocked person", "user_blocked", {}, (w) => setUser(w, { status: "blocked" })],
    ["a blocked device", "device_blocked", {}, (w) => setPeer(w, { status: "blocked" })],
    ["no rule", "peer_not_authorized", {}, (w) => setMap(w, { rules: {} })],
    [
      "a machine with SSH turned off",
      "ssh_disabled",
      {},
      (w) => setMap(w, { self: { ...w.map.self, sshEnabled: false } }),
    ],
    ["a machine whose flag is off", "ssh_disabled", {}, (w) => setFlags(w, { sshServer: false })],
    ["root without its flag", "root_disabled", {}, (w) => setFlags(w, { sshRoot: false })],
    [
      "a rootless agent",
      "rootless_other_user",
      {},
      (w) => setFlags(w, { privileged: false, ownUser: "qfagent" }),
    ],
    [
      "a map too old for root",
      "map_stale",
      {},
      (w) => {
        w.mapAgeSeconds = 301;
      },
    ],
    [
      "a machine that takes machines only",
      "machine_identity_only",
      {},
      (w) => {
        w.sshAuth = false;
      },
    ],
    [
      "a pinned issuer that is another",
      "binding_not_accepted",
      {},
      (w) => {
        w.pinned = { issuer: "https://other.example.com", audience: "qufabric" };
      },
    ],
    [
      "a pinned audience that is another",
      "client_not_pinned",
      {},
      (w) => {
        w.pinned = { issuer: "https://idp.example.com", audience: "other" };
      },
    ],
    [
      "a pinned issuer whose keys are others than management says",
      "token_invalid",
      {},
      (w) => {
        w.pinned = { issuer: "https://idp.example.com", audience: "qufabric" };
        w.pinnedKeys = [];
      },
    ],
    [
      "management's word where an issuer is pinned",
      "binding_not_accepted",
      { token: "management" },
      (w) => {
        w.pinned = { issuer: "https://idp.example.com", audience: "qufabric" };
      },
    ],
  ];

  const cases = rows.map(([name, reason, issue, prepare]) => ({ name, reason, issue, prepare }));
  test.each(cases)("is refused with $name", async ({ reason, issue, prepare }) => {
    prepare?.(world);
    const result = await outcome(issue);
    expect(result.reason).toBe(reason);
    expect(world.eventsOf("connection.open")).toEqual([]);
    // One generic sentence before proof; afterwards the reason's own, with its receipt.
    const receipt = world.eventsOf("decision").at(-1)?.receipt;
    if (reason === "unproven") expect(result.banner.trim()).toBe("Authentication failed");
    else expect(result.banner).toContain(`receipt ${receipt}`);
  });

  test.each([
    ["management's token for a service login", { identity: { binding: "service" }, token: "management" }],
    ["management's token for a claimed login", { identity: { binding: "ca" }, token: "management" }],
    ["no token where the account keeps them", { token: "none" }],
  ] as [string, IssueChange][])("is let in with %s", async (_name, issue) => {
    expect((await outcome(issue)).reason).toBe("in");
  });

  test.each([
    ["an account that is not there", "qfnobody", "account_unknown"],
    ["a name that is no name", "-oProxyCommand=x", "unproven"],
    ["a name with a newline", "root\nx", "unproven"],
  ])("is refused as %s", async (_name, localUser, reason) => {
    expect((await outcome({}, localUser)).reason).toBe(reason);
  });

  test.each([
    ["locked", ["usermod", "-p", "!*"], "account_locked"],
    ["expired", ["chage", "-E", "0"], "account_expired"],
    ["shellless", ["usermod", "-s", "/no/such/shell"], "account_nologin"],
  ] as const)("is refused as a %s account", async (_name, change, reason) => {
    using account = new OsAccount("deny");
    account.change(change[0], ...change.slice(1));
    expect((await outcome({}, account.name)).reason).toBe(reason);
  });

  test("is refused as uid 0 by another name", async () => {
    using alias = new RootAlias();
    setFlags(world, { sshRoot: false });
    expect((await outcome({}, alias.name)).reason).toBe("root_disabled");
    setFlags(world, { sshRoot: true });
    expect((await outcome({}, alias.name)).reason).toBe("in");
  });

  test("is refused with a login that was ended", async () => {
    const loginKeyPair = generateEd25519();
    const id = sha256(sshBlobOfEd25519(loginKeyPair.publicKey));
    setMap(world, { revokedLogins: { [id]: { id, untilSeconds: 4_000_000_000 } } });
    expect((await outcome({ loginKeyPair })).reason).toBe("login_revoked");
    expect((await outcome()).reason).toBe("in");
  });

  test("waits for a map as new as its certificate, and decides on that one", async () => {
    world.onWait = () => setMap(world, { version: 9, rules: {} });
    expect((await outcome({ identity: { mapVersion: 9 } })).reason).toBe("peer_not_authorized");
    expect(world.waits).toEqual([9]);
  });

  test.each([
    ["", "ERR_UNAVAILABLE", "The audit log cannot be written"],
    [" beside what others did", "ERR_TOO_MANY", "Your share of this peer's audit log is full"],
  ] as const)("is refused when it cannot be recorded%s", async (_what, code, sentence) => {
    world.auditFails = code;
    const { banner } = await outcome();
    expect(banner).toContain(sentence);
    expect(world.events).toEqual([]);
  });

  test("is refused by network rules for the device it names, where no hello was checked", async () => {
    world.sourcePeerId = null;
    expect((await outcome()).reason).toBe("in");
    const sources = {
      rule: { ...aRule("rule", ["devs"], "full", { capabilities: { allow_unmanaged_devices: true } }) },
    };
    setMap(world, { rules: { [sources.rule.id]: { ...sources.rule, sources: [anId("others")] } } });
    expect((await outcome()).reason).not.toBe("in");
  });

  test("takes a key only with its own signature: a query for one key lets no other in", async () => {
    // CVE-2024-45337: the query names a good certificate, the signature is by another key.
    const good = await world.issue();
    const answer = await signIn(world, { ...good, localUser: rootName, signWith: generateEd25519() });
    answer.client.end();
    expect(answer.isIn).toBe(false);
    expect(world.events.filter((event) => event.type !== "auth.failed")).toEqual([]);
  });

  test("is decided on the certificate that was signed with, not on the one asked about", async () => {
    const alice = await world.issue();
    const bob = await world.issue({
      identity: { userId: anId("bob"), subject: "bob" },
      idTokenClaims: { sub: "bob" },
    });
    const asBob = await signIn(world, { ...bob, localUser: rootName, askFirst: alice.certificate });
    asBob.client.end();
    expect(asBob.isIn).toBe(false);
    expect(world.eventsOf("decision").at(-1)?.request.userId).toBe(anId("bob"));
    const asAlice = await signIn(world, { ...alice, localUser: rootName, askFirst: bob.certificate });
    asAlice.client.end();
    expect(asAlice.isIn).toBe(true);
    expect(world.eventsOf("connection.open").at(-1)?.userId).toBe(anId("alice"));
  });

  test("that its client does not wait for leaves nothing behind", async () => {
    const credential = await world.issue();
    world.onWait = undefined;
    const answers = Array.from({ length: 5 }, async () => {
      const attempt = signIn(world, { ...credential, localUser: "qfnobody" });
      return (await attempt).client.destroy();
    });
    await Promise.all(answers);
    await Bun.sleep(300);
    expect(world.server.sessions()).toEqual([]);
  });

  test("ends after six tries", async () => {
    const credential = await world.issue({ caKey: generateEd25519() });
    const client = new Client();
    let tries = 0;
    await new Promise<void>((resolve) => {
      client.on("close", () => resolve()).on("error", () => {});
      client.connect({
        ...{ host: "127.0.0.1", port: world.port, username: rootName },
        authHandler: (_left, _partial, next) => {
          tries++;
          next({ type: "publickey", username: rootName, key: openSshPrivateKey(credential.loginKey, "x") });
        },
      });
    });
    expect(tries).toBeLessThanOrEqual(7);
    expect(tries).toBeGreaterThanOrEqual(6);
  });

  test.each(["password", "keyboard-interactive", "none"] as const)(
    "is never let in by method %s",
    async (type) => {
      const client = new Client();
      const isIn = await new Promise<boolean>((resolve) => {
        client.on("ready", () => resolve(true)).on("error", () => resolve(false));
        let isTried = false;
        client.connect({
          ...{ host: "127.0.0.1", port: world.port, username: rootName },
          authHandler: (_left, _partial, next) => {
            if (isTried) return next(false as never);
            isTried = true;
            next({ type, username: rootName, password: "x", prompt: () => {} } as never);
          },
        });
      });
      client.end();
      expect(isIn).toBe(false);
    },
  );
});

describe.skipIf(!isRoot)("machine identity", () => {
  const tcp22 = aRule("tcp", ["devs"], "full", { protocol: "tcp", ports: [{ start: 22, end: 22 }] });

  async function asDevice(key = world.deviceKey): Promise<boolean> {
    const client = new Client();
    const isIn = await new Promise<boolean>((resolve) => {
      client.on("ready", () => resolve(true)).on("error", () => resolve(false));
      client.connect({
        ...{ host: "127.0.0.1", port: world.port, username: rootName },
        privateKey: openSshPrivateKey(key, "device"),
      });
    });
    client.end();
    return isIn;
  }

  test("is refused while people sign in", async () => {
    setMap(world, { rules: { [tcp22.id]: tcp22 } });
    expect(await asDevice()).toBe(false);
  });

  test("lets a peer in by its device key under a tcp rule, and audits nobody but the peer", async () => {
    world.sshAuth = false;
    setMap(world, { rules: { [tcp22.id]: tcp22 } });
    expect(await asDevice()).toBe(true);
    expect(world.eventsOf("connection.open")[0]).toMatchObject({
      userId: null,
      devicePeerId: anId("laptop"),
    });
    expect(world.eventsOf("decision")[0]).toMatchObject({ binding: null });
  });

  test.each([
    ["another key", (w: TestSshServer) => void w, generateEd25519()],
    [
      "no hello",
      (w: TestSshServer) => {
        w.sourcePeerId = null;
      },
      undefined,
    ],
    [
      "another device's hello",
      (w: TestSshServer) => {
        w.sourcePeerId = anId("tablet");
      },
      undefined,
    ],
    [
      "an SSH rule only",
      (w: TestSshServer) => setMap(w, { rules: { [anId("rule")]: aRule("rule", ["devs"], "full") } }),
      undefined,
    ],
  ])("refuses a peer with %s", async (_name, prepare, key) => {
    world.sshAuth = false;
    setMap(world, { rules: { [tcp22.id]: tcp22 } });
    prepare(world);
    expect(await asDevice(key)).toBe(false);
  });
});

function setMap(w: TestSshServer, change: Partial<NetworkMap>): void {
  w.map = { ...w.map, ...change };
}
function setFlags(w: TestSshServer, change: Partial<TestSshServer["flags"]>): void {
  w.flags = { ...w.flags, ...change };
}
function setUser(w: TestSshServer, change: Partial<ReturnType<typeof aUser>>): void {
  setMap(w, { users: aMap({ users: [aUser("alice", ["devs"], change)] }).users });
}
function setPeer(w: TestSshServer, change: Partial<ReturnType<typeof aPeer>>): void {
  const laptop = aPeer("laptop", ["devs"], {
    ownerUserId: anId("alice"),
    deviceKey: w.deviceKey.publicKey,
    ...change,
  });
  setMap(w, { peers: aMap({ peers: [laptop] }).peers });
}

/** A second name for uid 0. Removed by name only: ending its processes would end everything. */
class RootAlias implements Disposable {
  readonly name = `qftoor${newId().slice(0, 10)}`;

  constructor() {
    const argv = ["useradd", "-o", "-u", "0", "-g", "0", "-M", "-d", "/", "-s", "/bin/sh", this.name];
    if (Bun.spawnSync(argv).exitCode !== 0) throw new Error("useradd failed");
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["sed", "-i", `/^${this.name}:/d`, "/etc/passwd", "/etc/shadow"]);
  }
}
