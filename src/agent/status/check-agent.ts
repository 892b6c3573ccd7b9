/**
 * `qf doctor` checks of this machine's agent, running or not, and of its requirements. Changes nothing.
 *
 * @module
 */
import { readdir, readFile, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { isQfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { DEFAULT_STATE_DIR } from "../../base/state-dir.ts";
import { parseHostPort } from "../../fabric/host-port.ts";
import { AgentStateFile, LISTEN_NONE } from "../../wire/agent-state-file.ts";
import type { AgentStatus } from "../../wire/control.ts";
import { type Finding, fine, note, problem } from "../../wire/finding.ts";
import { PublicClientFile } from "../../wire/state-file.ts";
import type { Environment } from "../contracts/flags.ts";
import { askStatus, findControlSocket } from "../control-socket/control-client.ts";
import { connectionFolders, hasCgroups } from "../os/containment.ts";
import { hasPam, PAM_SERVICES, ruledService } from "../os/pam.ts";
import { type StatePaths, statePaths } from "../state/state.ts";
import { chooseStateDir } from "../state/state-dir.ts";
import { ROOTLESS } from "./problems.ts";

/** With less free space than this, the audit spool may soon be full. */
const ROOM_BYTES_MIN = 64 * 1024 * 1024;
const UP = "qf agent up";

export interface AgentCheckOptions {
  readonly stateDir: string | undefined;
  readonly environment: Environment;
  /** Where Linux-PAM looks for rules. Default: its own folders. */
  readonly pamFolders?: readonly string[];
}

export async function checkAgent(options: AgentCheckOptions): Promise<Finding[]> {
  const chosen = chooseStateDir(options.stateDir, options.environment);
  // A folder without `agent.json`, for example after a failed attempt, does not count.
  const isUsual = options.stateDir === undefined && !(await isThere(statePaths(chosen).agent));
  const stateDir = isUsual && (await isThere(DEFAULT_STATE_DIR)) ? DEFAULT_STATE_DIR : chosen;
  const paths = statePaths(stateDir);
  if (!(await isThere(paths.publicClient)) && !(await isThere(paths.agent))) {
    return [
      note(
        "agent",
        "agent.none",
        `no agent has been set up in ${stateDir}`,
        `${UP} makes this machine a peer`,
      ),
    ];
  }
  const status = await askFor(stateDir);
  const agent = isFinding(status)
    ? [status]
    : status === undefined
      ? await checkStopped(stateDir, paths)
      : checkRunning(status);
  const flags = isFinding(status) || status === undefined ? await storedFlags(paths) : status.flags;
  const isServing = flags?.sshServer === true;
  return [
    ...agent,
    ...(await checkState(paths)),
    ...(isServing ? checkMachine(status, options.pamFolders) : []),
  ];
}

/** Status of a running agent. Undefined: none runs. A finding: it could not answer. */
async function askFor(stateDir: string): Promise<AgentStatus | Finding | undefined> {
  try {
    return await askStatus(stateDir);
  } catch (error) {
    if (!isQfError(error)) throw error;
    return problem("agent", "agent.control", error.message, error.hint ?? "restart the agent");
  }
}

function isFinding(value: AgentStatus | Finding | undefined): value is Finding {
  return value !== undefined && "area" in value;
}

function checkRunning(status: AgentStatus): Finding[] {
  const { management, sshServer, state, pid, version } = status;
  const age =
    management.mapAgeSeconds === null ? "no map" : `map confirmed ${management.mapAgeSeconds} s ago`;
  const ssh = sshServer.enabled ? "SSH on" : "SSH off";
  const found = [fine("agent", "agent.running", `${state}, pid ${pid}, version ${version}, ${age}, ${ssh}`)];
  status.problems.forEach((text, i) => {
    const fix = status.fixes?.[i] ?? "look at qf agent status -d";
    // A choice, not a fault.
    if (text === ROOTLESS) found.push(note("agent", "agent.rootless", text, fix));
    else found.push(problem("agent", "agent.problem", text, fix));
  });
  return found;
}

/** An agent that was set up but does not run: how it ended, and what would prevent its start. */
async function checkStopped(stateDir: string, paths: StatePaths): Promise<Finding[]> {
  const file = PublicClientFile.safeParse(
    parseJson(await readFile(paths.publicClient, "utf8").catch(() => "")),
  );
  const wasKilled = file.success && file.data.bootId !== undefined;
  const socket = await findControlSocket(stateDir);
  const how = wasKilled ? `; it was killed, and ${socket} is left of it` : "";
  const found = [problem("agent", "agent.stopped", `the agent of ${stateDir} does not run${how}`, UP)];
  const flags = await storedFlags(paths);
  for (const [flag, address] of [
    ["--listen", flags?.listen],
    ["--plain-ssh-listen", flags?.plainSshListen],
  ] as const) {
    if (flags?.sshServer !== true || address === null || address === undefined || address === LISTEN_NONE)
      continue;
    if (!(await isTaken(address))) continue;
    const message = `${address} (${flag}) is in use by another program, so the agent cannot start`;
    found.push(problem("agent", "agent.port", message, `stop that program, or ${UP} ${flag} HOST:PORT`));
  }
  return found;
}

/** Flags of an agent whose state this user may read. */
async function storedFlags(paths: StatePaths): Promise<AgentStateFile["flags"] | undefined> {
  const text = await readFile(paths.agent, "utf8").catch(() => "");
  const parsed = AgentStateFile.safeParse(parseJson(text));
  return parsed.success ? parsed.data.flags : undefined;
}

async function checkState({ directory, agent }: StatePaths): Promise<Finding[]> {
  const found: Finding[] = [];
  const { mode } = await stat(directory);
  if ((mode & 0o022) !== 0) {
    const message = `others may write to ${directory}, so the agent does not start`;
    found.push(problem("agent", "agent.state", message, `chmod go-w ${directory}`));
  }
  const names = await readdir(directory).catch(() => [] as string[]);
  for (const name of names.filter((one) => one.includes(".damaged-"))) {
    const message = `${join(directory, name)} was damaged and set aside`;
    found.push(problem("agent", "agent.damaged", message, "restore it from a backup, or remove it"));
  }
  if (await isUnreadable(agent)) {
    const message = `${agent} does not read, so the agent does not start`;
    found.push(problem("agent", "agent.damaged", message, "restore it from a backup"));
  }
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < ROOM_BYTES_MIN) {
    const room = `less than ${ROOM_BYTES_MIN / 1024 / 1024} MiB are free below ${directory}`;
    const message = `${room}: without room for evidence nobody gets in`;
    found.push(problem("machine", "machine.disk", message, "make room there"));
  }
  return found;
}

/** Whether the file exists but is not an agent's state. */
async function isUnreadable(path: string): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text !== undefined && !AgentStateFile.safeParse(parseJson(text)).success;
}

/** Requirements of sessions on this machine. */
function checkMachine(
  status: AgentStatus | Finding | undefined,
  pamFolders: readonly string[] | undefined,
): Finding[] {
  // Without root only one account is served, and its PAM rules have already let it in.
  if (process.geteuid?.() !== 0 || process.platform !== "linux") return [];
  return [pamFinding(pamFolders), ...cgroupFindings(status === undefined)];
}

function pamFinding(folders: readonly string[] | undefined): Finding {
  if (!hasPam()) {
    const message = "no PAM here: accounts are judged by /etc/passwd and /etc/shadow, sessions have no rules";
    return note("machine", "machine.pam", message);
  }
  const service = ruledService(folders);
  if (service !== null) return fine("machine", "machine.pam", `sessions go by PAM's rules for ${service}`);
  const message = `PAM has rules for none of ${PAM_SERVICES.join(", ")}: it refuses everybody`;
  return problem("machine", "machine.pam", message, "write /etc/pam.d/qufabric, or install openssh-server");
}

function cgroupFindings(isStopped: boolean): Finding[] {
  if (!hasCgroups()) {
    const message =
      "cgroup v2 is not available: processes of a connection are found by their marks when it is revoked";
    return [note("machine", "machine.cgroup", message)];
  }
  const left = isStopped ? connectionFolders() : 0;
  if (left === 0) return [fine("machine", "machine.cgroup", "cgroup v2 holds each connection's processes")];
  const message = `processes of ${left} connections run, of this agent that does not or of another`;
  const fix = "cat /sys/fs/cgroup/qufabric/*/cgroup.procs names them; end those that nobody misses";
  return [note("machine", "machine.leftovers", message, fix)];
}

async function isTaken(address: string): Promise<boolean> {
  const { host, port } = parseHostPort(address);
  if (port === 0) return false;
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRINUSE"));
    server.listen({ host, port }, () => server.close(() => resolve(false)));
  });
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
