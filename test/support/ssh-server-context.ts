/**
 * A machine's SSH server with a world around it that a test can change: map, flags, age, evidence.
 * Certificates are issued as management would; streams come in over a loopback socket.
 */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { SignJWT } from "jose";
import type { Approvals } from "../../src/agent/contracts/approvals.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/agent/contracts/limits.ts";
import { createPenalties } from "../../src/agent/contracts/penalties.ts";
import type { Recorder } from "../../src/agent/contracts/recorder.ts";
import type { ServerContext, SshServer } from "../../src/agent/contracts/server-context.ts";
import type { StreamOrigin } from "../../src/agent/contracts/stream-origin.ts";
import { createSshServer } from "../../src/agent/ssh-server/server.ts";
import { type Clock, nowSeconds, systemClock } from "../../src/base/clock.ts";
import { type Ed25519Key, generateEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { QfError } from "../../src/base/errors.ts";
import { type Log, silentLog } from "../../src/base/log.ts";
import { type CertificateOrder, issueCertificate } from "../../src/certificate/issue.ts";
import { issueOfflineCertificate, type OfflineOrder } from "../../src/certificate/offline.ts";
import { signManagementToken } from "../../src/identity/management-token.ts";
import { nonceOf } from "../../src/identity/verify.ts";
import type { MachineFlags } from "../../src/policy/decide/request.ts";
import { prepareSnapshot } from "../../src/policy/decide/snapshot.ts";
import type { HostKeyFile } from "../../src/wire/agent-state-file.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import type { NetworkMap, PublicJwk } from "../../src/wire/network-map.ts";
import type { PenaltyRules } from "../../src/wire/ssh-limits.ts";
import { allFlags, aMap, anId, aPeer, aRule, aUser } from "./policy.ts";
import { managementTokenJwk } from "./tokens.ts";

export const ISSUER = "https://idp.example.com";
export const AUDIENCE = "qufabric";

export interface TestSshServer {
  readonly server: SshServer;
  readonly port: number;
  readonly events: AgentEventBody[];
  readonly deviceKey: Ed25519Key;
  /** Host key as OpenSSH writes it. */
  readonly hostKeyLine: string;
  map: NetworkMap;
  flags: MachineFlags;
  mapAgeSeconds: number;
  sshAuth: boolean;
  limits: Limits;
  /** Null, the default: nobody has to wait, since tests fail at signing in all the time. */
  penalties: PenaltyRules | null;
  pinned: { issuer: string; audience: string } | null;
  /** What the machine fetched of the pinned issuer. Undefined: the keys the map has as well. */
  pinnedKeys: readonly PublicJwk[] | undefined;
  /** ERR_TOO_MANY: there is room for others only. */
  auditFails: "ERR_UNAVAILABLE" | "ERR_TOO_MANY" | false;
  takesPlain: boolean;
  offlineLogins: ReturnType<ServerContext["offlineLogins"]>;
  /** Who lets people approve a sign-in without a certificate. */
  approvals: Approvals | null;
  /** What the hello said; `null` is a plain listener. */
  sourcePeerId: string | null;
  /** What is said of the origin of streams to come instead of what their sockets say. */
  origin: Partial<StreamOrigin>;
  clock: Clock;
  waits: number[];
  onWait: (() => void) | undefined;
  /** Puts a changed map in force, as a push from management does. */
  change(change: (map: NetworkMap) => NetworkMap): void;
  eventsOf<T extends AgentEventBody["type"]>(type: T): Extract<AgentEventBody, { type: T }>[];
  /** A certificate and its key for alice on her laptop, or changed from that. */
  issue(change?: IssueChange): Promise<Credential>;
  /** A certificate that alice's login key has signed for itself, or changed from that. */
  issueOffline(change?: OfflineChange): Promise<Credential>;
  close(): Promise<void>;
}

export interface OfflineChange extends Partial<Omit<OfflineOrder, "identity" | "loginKey">> {
  readonly identity?: Partial<OfflineOrder["identity"]>;
  readonly idTokenClaims?: Record<string, unknown>;
  /** "management": management's own short token in place of the provider's. */
  readonly token?: "id" | "management";
}

export interface IssueChange extends Partial<Omit<CertificateOrder, "identity">> {
  readonly loginKeyPair?: Ed25519Key;
  readonly identity?: Partial<CertificateOrder["identity"]>;
  readonly idTokenClaims?: Record<string, unknown>;
  /** "management" carries management's own token instead of the ID token. */
  readonly token?: "id" | "management" | "none";
}

export interface Credential {
  readonly loginKey: Ed25519Key;
  readonly certificate: Buffer;
}

/** A world in which alice, from her laptop, may be any local user through one full-access rule. */
export async function openTestSshServer(
  options: { localUsers?: readonly string[]; limits?: Partial<Limits>; log?: Log; recorder?: Recorder } = {},
): Promise<TestSshServer> {
  const ca = generateEd25519();
  const idp = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signing = generateEd25519();
  const deviceKey = generateEd25519();
  const host = hostKey();
  const map = aMap({
    users: [aUser("alice", ["devs"])],
    peers: [aPeer("laptop", ["devs"], { ownerUserId: anId("alice"), deviceKey: deviceKey.publicKey })],
    rules: [aRule("rule", ["devs"], options.localUsers ?? "full")],
    change: {
      cas: { [anId("ca")]: { id: anId("ca"), publicKey: sshBlobOfEd25519(ca.publicKey).toString("base64") } },
      issuers: [
        {
          issuer: ISSUER,
          audiences: [AUDIENCE],
          userIdClaim: "sub",
          keys: [{ ...idp.publicKey.export({ format: "jwk" }), kid: "k1", alg: "ES256" } as never],
        },
      ],
      managementKeys: [managementTokenJwk("m1", signing.publicKey)],
    },
  });
  let snapshot = prepareSnapshot(map);
  const events: AgentEventBody[] = [];
  const world: ServerContext = {
    clock: { nowMs: () => state.clock.nowMs(), monotonicMs: () => state.clock.monotonicMs() },
    log: options.log ?? silentLog,
    ...(options.recorder === undefined ? {} : { recorder: options.recorder }),
    audit: {
      async record(body) {
        await Bun.sleep(1);
        if (state.auditFails !== false) throw new QfError(state.auditFails, "full");
        events.push(body);
      },
    },
    hostKeys: host.keys,
    snapshot: () => {
      if (snapshot.map !== state.map) snapshot = prepareSnapshot(state.map);
      return snapshot;
    },
    mapAgeSeconds: () => state.mapAgeSeconds,
    async waitForMapVersion(version) {
      state.waits.push(version);
      state.onWait?.();
    },
    machineFlags: () => state.flags,
    sshAuth: () => state.sshAuth,
    pinned: () => {
      if (state.pinned === null) return null;
      const inMap = state.map.issuers.find(({ issuer }) => issuer === state.pinned?.issuer)?.keys ?? [];
      const { issuer, audience } = state.pinned;
      return { issuer, audiences: [audience], keys: state.pinnedKeys ?? inMap };
    },
    refreshPinned: async () => {},
    limits: () => state.limits,
    hostKeyTypes: () => ["ssh-ed25519"],
    penalties: createPenalties({
      clock: { nowMs: () => state.clock.nowMs(), monotonicMs: () => state.clock.monotonicMs() },
      rules: () => state.penalties,
      exempt: () => [],
    }),
    takesPlain: () => state.takesPlain,
    offlineLogins: () => state.offlineLogins,
    get approvals() {
      return state.approvals;
    },
  };
  const server = createSshServer(world);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    server.accept(socket, { ...originOf(socket, state.sourcePeerId), ...state.origin });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const state: TestSshServer = {
    server,
    port: (listener.address() as { port: number }).port,
    events,
    deviceKey,
    hostKeyLine: host.line,
    map,
    flags: { ...allFlags, recording: false },
    mapAgeSeconds: 0,
    sshAuth: true,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    penalties: null,
    pinned: null,
    pinnedKeys: undefined,
    auditFails: false,
    takesPlain: true,
    offlineLogins: "off",
    approvals: null,
    sourcePeerId: anId("laptop"),
    origin: {},
    clock: systemClock,
    waits: [],
    onWait: undefined,
    change(change) {
      state.map = change(state.map);
      server.recheck();
    },
    eventsOf: (type) => events.filter((event) => event.type === type) as never,
    issue: (change = {}) => issue({ state, ca, idpKey: idp.privateKey, signing }, change),
    issueOffline: (change = {}) => issueOffline({ state, ca, idpKey: idp.privateKey, signing }, change),
    async close() {
      await server.close();
      for (const socket of sockets) socket.destroy();
      await closeListener(listener);
    },
  };
  return state;
}

interface Keys {
  readonly state: TestSshServer;
  readonly ca: Ed25519Key;
  readonly idpKey: ReturnType<typeof generateKeyPairSync>["privateKey"];
  readonly signing: Ed25519Key;
}

async function issue(keys: Keys, change: IssueChange): Promise<Credential> {
  const { state } = keys;
  const loginKey = change.loginKeyPair ?? generateEd25519();
  const at = change.nowSeconds ?? nowSeconds(state.clock);
  const { loginKeyPair: _, identity: identityChange, idTokenClaims, token, ...order } = change;
  const identity = { ...identityAt(state, at), ...identityChange };
  const idToken = await providersToken(keys, loginKey, at, idTokenClaims);
  const own = () => managementToken(keys, identity, loginKey, at);
  const certificate = issueCertificate({
    caKey: keys.ca,
    serial: 7n,
    keyId: "alice on laptop",
    loginKey: loginKey.publicKey,
    principals: ["*"],
    targetPeerId: state.map.self.peerId,
    idToken: token === "none" ? null : token === "management" ? await own() : idToken,
    nowSeconds: at,
    ...order,
    identity,
  });
  return { loginKey, certificate };
}

async function issueOffline(keys: Keys, change: OfflineChange): Promise<Credential> {
  const { state } = keys;
  const loginKey = generateEd25519();
  const at = change.nowSeconds ?? nowSeconds(state.clock);
  const { identity: identityChange, idTokenClaims, token, ...order } = change;
  const identity = { ...identityAt(state, at), ...identityChange };
  const idToken =
    token === "management"
      ? await managementToken(keys, identity, loginKey, at)
      : await providersToken(keys, loginKey, at, idTokenClaims);
  const certificate = issueOfflineCertificate({
    scope: { accountId: state.map.accountId, origin: state.map.origin },
    loginKey,
    deviceKey: state.deviceKey,
    targetPeerId: state.map.self.peerId,
    idToken,
    nowSeconds: at,
    ...order,
    identity,
  });
  return { loginKey, certificate };
}

function identityAt(state: TestSshServer, at: number): CertificateOrder["identity"] {
  return {
    issuer: ISSUER,
    subject: "alice",
    userId: anId("alice"),
    devicePeerId: anId("laptop"),
    authTimeSeconds: at - 10,
    binding: "idp",
    mapVersion: state.map.version,
  };
}

function providersToken(
  { idpKey }: Keys,
  loginKey: Ed25519Key,
  at: number,
  claims: Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT({
    iss: ISSUER,
    sub: "alice",
    aud: AUDIENCE,
    nonce: nonceOf(sshBlobOfEd25519(loginKey.publicKey)),
    iat: at - 10,
    exp: at + 600,
    auth_time: at - 10,
    ...claims,
  })
    .setProtectedHeader({ alg: "ES256", kid: "k1" })
    .sign(idpKey as never);
}

function managementToken(
  { state, signing }: Keys,
  { userId, binding }: CertificateOrder["identity"],
  loginKey: Ed25519Key,
  at: number,
): Promise<string> {
  return signManagementToken({
    signingKey: { kid: "m1", key: signing },
    origin: state.map.origin,
    userId,
    targetPeerId: state.map.self.peerId,
    loginKey: loginKey.publicKey,
    binding,
    nowSeconds: at,
  });
}

function originOf(socket: Socket, sourcePeerId: string | null): StreamOrigin {
  return {
    path: sourcePeerId === null ? "plain" : "direct",
    sourceAddress: socket.remoteAddress ?? "127.0.0.1",
    sourcePort: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? "127.0.0.1",
    localPort: socket.localPort ?? 0,
    sourcePeerId,
  };
}

function hostKey(): { keys: HostKeyFile["keys"]; line: string } {
  const key = generateEd25519();
  const line = `ssh-ed25519 ${sshBlobOfEd25519(key.publicKey).toString("base64")}`;
  return { keys: [{ type: "ssh-ed25519", pem: openSshPrivateKey(key, "host") }], line };
}

/** openssh-key-v1 of an Ed25519 key, without a passphrase. */
export function openSshPrivateKey(key: Ed25519Key, comment: string): string {
  const text = (bytes: Uint8Array | string): Buffer => {
    const data = Buffer.from(bytes as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, data]);
  };
  const publicBlob = sshBlobOfEd25519(key.publicKey);
  const publicBytes = Buffer.from(key.publicKey, "base64url");
  const seed = Buffer.from(key.seed, "base64url");
  const check = Buffer.from("01020304", "hex");
  let secret = Buffer.concat([
    check,
    check,
    text("ssh-ed25519"),
    text(publicBytes),
    text(Buffer.concat([seed, publicBytes])),
    text(comment),
  ]);
  for (let pad = 1; secret.length % 8 !== 0; pad++) secret = Buffer.concat([secret, Buffer.from([pad])]);
  const count = Buffer.from("00000001", "hex");
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    count,
    text(publicBlob),
    text(secret),
  ]).toString("base64");
  const lines = body.match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function closeListener(listener: Server): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()));
}
