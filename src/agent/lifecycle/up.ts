/**
 * `qf agent up`: enrols if necessary, starts the agent, and waits until it serves.
 *
 * If the agent already runs, changed flags are applied to it. With `foreground` it stays attached. Otherwise
 * it becomes a service if there is a service manager (`service/service-manager.ts`), else a separate process.
 *
 * @module
 */
import { join } from "node:path";
import { VERSION } from "../../base/build-info.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { createLog, type LogLevel, logLevelOf, silentLog } from "../../base/log.ts";
import { ownCommand } from "../../base/own-command.ts";
import { DEFAULT_STATE_DIR } from "../../base/state-dir.ts";
import { createClientApi } from "../../client/client-api.ts";
import type { AgentStatus } from "../../wire/control.ts";
import { type Environment, type GivenFlags, parseGivenFlags, resolveFlags } from "../contracts/flags.ts";
import { NOT_TRIED_YET } from "../control-link/sync-client.ts";
import { askAgent, askStatus, findControlSocket } from "../control-socket/control-client.ts";
import { runSocketPath } from "../handover/run-socket.ts";
import { takeOver } from "../handover/take-over.ts";
import { findServiceManager } from "../service/service-manager.ts";
import { readAgentFile, statePaths } from "../state/state.ts";
import { chooseStateDir } from "../state/state-dir.ts";
import { isStateLocked } from "../state/state-lock.ts";
import { stopAgent } from "./down.ts";
import { proveLoginPath } from "./login-path.ts";
import { checkPins } from "./pins.ts";
import { prepareAgent } from "./prepare.ts";
import { withRecipients } from "./recipients-file.ts";
import { runForeground } from "./run-foreground.ts";
import { type GivenSetupKey, readSetupKey } from "./setup-key.ts";
import { signInForMachine } from "./sign-in.ts";
import { type Spawned, spawnDetached } from "./spawn-detached.ts";

export interface UpOptions {
  /** By flag name; see `flags.ts`. */
  readonly given: GivenFlags;
  /** `--state-dir`. Undefined: its environment variable, then the default. */
  readonly stateDir: string | undefined;
  readonly setupKey: GivenSetupKey;
  /** Called for problems that stop nothing but that the person should know. */
  readonly warn: (text: string) => void;
  /** Called with facts about an agent that runs as a separate process. */
  readonly note: (text: string) => void;
  readonly foreground: boolean;
  /** `--log-level`. Undefined: its environment variable, then info. */
  readonly logLevel?: LogLevel | undefined;
  readonly environment: Environment;
  readonly clock?: Clock;
}

/** Longest wait until a started agent serves. */
const READY_MS_MAX = 30_000;
/** With a stored map it already serves. This time is for the link, so that the map is current. */
const LINK_MS = 3_000;

/**
 * Brings the agent up. Resolves with its status once it serves; in the foreground with null once it has
 * stopped. Throws within 30 s with the reason why it does not serve.
 */
export async function agentUp(options: UpOptions): Promise<AgentStatus | null> {
  const environment = { ...options.environment, ...levelIn(options.logLevel) };
  const setupKey = await readSetupKey(options.setupKey, environment, options.warn);
  const stateDir = chooseStateDir(options.stateDir, environment);
  const given = parseGivenFlags(await withRecipients(options.given, environment), environment);
  await requirePins(stateDir, given, options.warn);
  if (await isStateLocked(stateDir)) {
    if (!options.foreground) {
      if (options.logLevel !== undefined) throw levelOfRunning();
      const status = await applyLive(stateDir, given);
      // After an upgrade the old build is still running.
      if (status === null || status.version === VERSION) return status;
      if (await isHandingOver(stateDir)) return await startInBackground(stateDir, options, environment);
      await stopOtherBuild(stateDir, options.environment);
    } else {
      const log = createLog(logLevelOf(environment));
      const inherited = await takeOver(runSocketPath(await findControlSocket(stateDir)), log);
      if (inherited !== null) {
        await runForeground(stateDir, environment, inherited);
        return null;
      }
    }
  }
  const canAsk = setupKey === undefined && !options.foreground;
  await prepareAgent({
    stateDir,
    given,
    setupKey,
    signIn: canAsk || process.stderr.isTTY ? signInForMachine(given.name ?? null, environment) : undefined,
    clock: options.clock ?? systemClock,
    log: silentLog,
  });
  if (options.foreground) {
    await runForeground(stateDir, environment);
    return null;
  }
  return await startInBackground(stateDir, options, environment);
}

/** As a service if there is a service manager, else as a separate process. */
async function startInBackground(
  stateDir: string,
  { logLevel, note, environment: given }: UpOptions,
  environment: Environment,
): Promise<AgentStatus> {
  const manager = findServiceManager(stateDir, given);
  if (manager !== null) {
    await manager.start(serviceCommand(stateDir, logLevel));
    const status = await waitUntilReady(stateDir, undefined);
    if (manager.note !== undefined) note(manager.note);
    return status;
  }
  const child = await spawnDetached(stateDir, environment);
  try {
    const status = await waitUntilReady(stateDir, child);
    note(
      `no service manager starts it (systemd, OpenRC, runit), so it does not come back after a reboot; ` +
        `its log is ${statePaths(stateDir).log}`,
    );
    return status;
  } catch (error) {
    child.kill();
    throw error;
  }
}

/** Names any folder but the default, because a user's folder depends on this environment. */
function serviceCommand(stateDir: string, logLevel: LogLevel | undefined): string[] {
  const level = logLevel === undefined ? [] : ["--log-level", logLevel];
  const folder = stateDir === DEFAULT_STATE_DIR ? [] : ["--state-dir", stateDir];
  return [...ownCommand(), "agent", "up", "--foreground", ...folder, ...level];
}

/** Checks pins that are given or changed now. A machine with unchanged pins may start in any case. */
async function requirePins(
  stateDir: string,
  given: ReturnType<typeof parseGivenFlags>,
  warn: UpOptions["warn"],
): Promise<void> {
  const { requireIdpBinding, pinIssuer, pinAudience } = given;
  if ([requireIdpBinding, pinIssuer, pinAudience].every((flag) => flag === undefined)) return;
  const stored = await readAgentFile(statePaths(stateDir));
  const flags = resolveFlags(given, stored?.flags);
  await checkPins(flags, () => createClientApi({ url: flags.managementUrl }).config(), warn);
}

function levelIn(logLevel: LogLevel | undefined): Environment {
  return logLevel === undefined ? {} : { QF_LOG_LEVEL: logLevel };
}

function levelOfRunning(): QfError {
  return new QfError("ERR_USAGE", "the agent runs already: --log-level is for its start", {
    hint: "qf agent down, then qf agent up with it",
  });
}

/** Applies `given` to the running agent, and waits for one that is still starting. */
async function applyLive(
  stateDir: string,
  given: ReturnType<typeof parseGivenFlags>,
): Promise<AgentStatus | null> {
  for (let waitedMs = 0; (await askStatus(stateDir)) === undefined; waitedMs += 100) {
    if (waitedMs < READY_MS_MAX / 3) await Bun.sleep(100);
    else {
      throw new QfError("ERR_CONFLICT", `another agent runs on ${stateDir} and does not answer`, {
        hint: "end that process, then run qf agent up again",
      });
    }
  }
  const { status } = await askAgent(stateDir, { do: "apply", flags: { ...given, advertise: listOf(given) } });
  return status ?? null;
}

/** Whether the running agent now waits for a successor, to which it will hand over its sessions. */
async function isHandingOver(stateDir: string): Promise<boolean> {
  try {
    await askAgent(stateDir, { do: "hand_over" });
    return true;
  } catch (error) {
    // An older build does not know this request.
    if (isQfError(error, "ERR_BAD_REQUEST")) return false;
    throw error;
  }
}

/** A service would restart by itself, so its manager stops it. The next start enables it again. */
async function stopOtherBuild(stateDir: string, environment: Environment): Promise<void> {
  await findServiceManager(stateDir, environment)?.stop();
  await stopAgent(stateDir);
}

function listOf(given: ReturnType<typeof parseGivenFlags>): string[] | undefined {
  return given.advertise === undefined ? undefined : [...given.advertise];
}

/** Polls until the map is in effect and the endpoint listens. Throws with what is missing. */
async function waitUntilReady(stateDir: string, child: Spawned | undefined): Promise<AgentStatus> {
  const startMs = performance.now();
  let status: AgentStatus | undefined;
  for (;;) {
    const waitedMs = performance.now() - startMs;
    if (child?.hasEnded() === true) throw await child.failure();
    status = await askStatus(stateDir).catch((error: unknown) => {
      if (isQfError(error, "ERR_TIMEOUT")) return undefined;
      throw error;
    });
    if (status !== undefined && isReady(status)) {
      const { connected, error } = status.management;
      if (connected || (error !== null && error !== NOT_TRIED_YET) || waitedMs > LINK_MS) {
        if (status.sshServer.enabled) await proveLoginPath(stateDir);
        return status;
      }
    }
    if (waitedMs > READY_MS_MAX) break;
    await Bun.sleep(waitedMs < 1_000 ? 20 : 100);
  }
  const reason = reasonOf(status);
  throw new QfError("ERR_TIMEOUT", `the agent does not serve: ${reason}`, {
    hint: status?.fixes?.[status.problems.indexOf(reason)] ?? `see ${join(stateDir, "agent.log")}`,
  });
}

function isReady({ state, version, management, sshServer, relay }: AgentStatus): boolean {
  if (state !== "running" || version !== VERSION || management.mapVersion === 0) return false;
  if (!sshServer.enabled || sshServer.listen.length > 0) return true;
  // Without its own listener it serves through the relay, once management is connected.
  return relay?.connected === true || !management.connected;
}

function reasonOf(status: AgentStatus | undefined): string {
  if (status === undefined) return "it does not answer";
  return status.management.error ?? status.problems[0] ?? "it is still starting";
}
