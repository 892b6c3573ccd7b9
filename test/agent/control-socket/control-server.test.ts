/** Who may ask the agent what, by what the kernel says of them. */
import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import {
  type Controlled,
  type ControlServer,
  openControlServer,
} from "../../../src/agent/control-socket/control-server.ts";
import { newConnectionMark } from "../../../src/agent/os/connection-mark.ts";
import { generateEd25519, verifyEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { type AgentStatus, ControlAnswer } from "../../../src/wire/control.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const NOBODY = 65_534;
const MACHINE = "m".repeat(20);
const SCOPE = { accountId: "a".repeat(20), origin: "https://qf.example.com" };
const session = (localUser: string) => ({
  localUser,
  user: "ada",
  peer: "laptop",
  command: "",
  forwards: [],
});
/** One request of another user, whose id the kernel knows; perl is there on any Debian. */
const ASK =
  "socket(S,AF_UNIX,SOCK_STREAM,0); connect(S,sockaddr_un($ARGV[0])) or die; syswrite S,$ARGV[1].qq(\\n); print <S>";

interface Agent {
  readonly server: ControlServer;
  readonly path: string;
  readonly agent: Controlled;
  /** What it was told to do. */
  readonly done: string[];
}

async function anAgent(): Promise<Agent> {
  const folder = tempFolder();
  chmodSync(folder, 0o711);
  const path = join(folder, "control.sock");
  const done: string[] = [];
  const status: AgentStatus = {
    state: "running",
    pid: 1,
    version: "0.1.0",
    self: null,
    management: {
      url: SCOPE.origin,
      connected: true,
      mapVersion: 1,
      mapAgeSeconds: 0,
      clockOffsetMs: 0,
      error: null,
    },
    sshServer: { enabled: true, listen: [], sessions: [session("nobody"), session("root")] },
    peers: [],
    flags: {},
    problems: [],
  };
  const agent: Controlled = {
    clock: new FakeClock(),
    log: silentLog,
    deviceKey: generateEd25519(),
    enrolled: () => ({
      ...SCOPE,
      peerId: MACHINE,
      name: "web1",
      domain: "qf.internal",
      address: "100.64.0.1",
    }),
    status: () => status,
    apply: async () => void done.push("apply"),
    down: () => void done.push("down"),
    expectSuccessor: () => void done.push("hand_over"),
    pids: () => [process.pid],
    uidOf: async (localUser) => (localUser === "nobody" ? NOBODY : 0),
  };
  return { server: await openControlServer(path, agent), path, agent, done };
}

/** What somebody at the machine asks: by a process that the agent has not started. */
async function askApart(uid: number, path: string, request: object, env = {}): Promise<ControlAnswer> {
  const script = `(sleep 0.2; exec perl -MSocket -e '${ASK}' "$1" "$2") &`;
  const command = ["sh", "-c", script, "sh", path, JSON.stringify(request)];
  const child = Bun.spawn(command, { uid, gid: uid, cwd: "/", stdout: "pipe", stderr: "inherit", env });
  return ControlAnswer.parse(JSON.parse(await new Response(child.stdout).text()));
}

async function askAs(uid: number, path: string, request: object): Promise<ControlAnswer> {
  const command = ["perl", "-MSocket", "-e", ASK, path, JSON.stringify(request)];
  const child = Bun.spawn(command, { uid, gid: uid, cwd: "/", stdout: "pipe", stderr: "inherit" });
  return ControlAnswer.parse(JSON.parse(await new Response(child.stdout).text()));
}

test.skipIf(!isRoot)("a change that meets a full disk says so, and any other failure nothing", async () => {
  const failures: Error[] = [
    Object.assign(new Error("ENOSPC"), { code: "ENOSPC", path: "/x/flags.json", syscall: "write" }),
    Object.assign(new Error("EROFS"), { code: "EROFS", path: "/x/flags.json", syscall: "open" }),
    new Error("secret"),
  ];
  const { server, path, agent } = await anAgent();
  agent.apply = () => Promise.reject(failures.shift());
  const change = () => askAs(0, path, { do: "apply", flags: { sshRoot: true } });
  expect(await change()).toEqual({
    ...{ ok: false, code: "ERR_UNAVAILABLE", message: "/x/flags.json: the disk is full (write)" },
    hint: "make room, then try again",
  });
  expect(await change()).toMatchObject({ message: "/x/flags.json: the file system is read-only (open)" });
  expect(await change()).toEqual({ ok: false, code: "ERR_INTERNAL", message: "the agent could not do that" });
  await server.close();
});

test.skipIf(!isRoot).each([
  [{ do: "down" }, "down"],
  [{ do: "hand_over" }, "hand_over"],
  [{ do: "apply", flags: { sshRoot: true } }, "apply"],
])("%j is for root and the agent's own user only", async (request, what) => {
  const { server, path, done } = await anAgent();
  expect(await askAs(NOBODY, path, request)).toMatchObject({ ok: false, code: "ERR_PERMISSION" });
  expect(done).toEqual([]);
  expect(await askAs(0, path, request)).toMatchObject({ ok: true });
  expect(done).toEqual([what]);
  await server.close();
});

test.skipIf(!isRoot)("status is for anyone, who is on the machine for those it concerns", async () => {
  const { server, path } = await anAgent();
  const seen = async (uid: number) => {
    const answer = await askAs(uid, path, { do: "status" });
    return answer.ok ? answer.status?.sshServer.sessions.map(({ localUser }) => localUser) : answer;
  };
  expect(await seen(NOBODY)).toEqual(["nobody"]);
  expect(await seen(0)).toEqual(["nobody", "root"]);
  await server.close();
});

test.skipIf(!isRoot)("a vouch names the user who asked, whatever they say", async () => {
  const { server, path, agent } = await anAgent();
  const deviceKey = generateEd25519().publicKey;
  const answer = await askApart(NOBODY, path, { do: "vouch", deviceKey });
  if (!answer.ok || answer.vouch === undefined) throw new Error("no vouch");
  const { uid, timeSeconds, signature } = answer.vouch;
  expect(uid).toBe(NOBODY);
  const bytes = signedBytes("vouch", SCOPE, { deviceKey, machinePeerId: MACHINE, uid, timeSeconds });
  expect(verifyEd25519(agent.deviceKey.publicKey, bytes, signature)).toBe(true);
  expect(await askApart(NOBODY, path, { do: "vouch", deviceKey, uid: 0 })).toMatchObject({ ok: false });
  await server.close();
});

test.skipIf(!isRoot)(
  "no vouch for a process of a connection: it is a guest's, not the machine's",
  async () => {
    const { server, path } = await anAgent();
    const vouch = { do: "vouch", deviceKey: generateEd25519().publicKey };
    const refused = { ok: false, code: "ERR_PERMISSION" };
    // Whatever the agent has started, as it starts sessions, `exec` and the helper of `ssh -L`.
    expect(await askAs(NOBODY, path, vouch)).toMatchObject(refused);
    expect(await askAs(0, path, vouch)).toMatchObject(refused);
    // One that has left its session and its ancestors behind.
    const env = { QF_CONNECTION_MARK: newConnectionMark() };
    expect(await askApart(NOBODY, path, vouch, env)).toMatchObject(refused);
    expect(await askApart(NOBODY, path, vouch, { QF_CONNECTION_MARK: "of an agent before" })).toMatchObject(
      refused,
    );
    // It still may look.
    expect(await askAs(NOBODY, path, { do: "status" })).toMatchObject({ ok: true });
    await server.close();
  },
);
