/**
 * Checks of `qf doctor` on a person's side: folder, management server, clock, login, device.
 *
 * Starts no sign-in and changes nothing. A registered device identifies itself to management by its key.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { isQfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { ClientConfig } from "../wire/client-config.ts";
import { type Finding, fine, note, problem } from "../wire/finding.ts";
import { createClientApi } from "./client-api.ts";
import { clientFolderPath } from "./client-folder.ts";
import { type ClientSession, type ClientSessionOptions, openClientSession } from "./client-session.ts";
import { managementUrlOf } from "./management-url.ts";
import { ALARMS_FILE, logAlarms } from "./pinned-logs.ts";
import { askNames } from "./target.ts";

/** Beyond this a sign-in may fail: certificates and hellos tolerate 60 s over both clocks. */
const CLOCK_OFFSET_MS_MAX = 30_000;
const CLOCK_OFFSET_MS_NOTED = 5_000;
/** A login that ends sooner than this gets a note. */
const LOGIN_ENDS_SECONDS = 600;

export interface ClientCheck {
  readonly findings: readonly Finding[];
  /** The account's domain. Undefined: management could not be asked. */
  readonly domain: string | undefined;
}

export async function checkClient(options: ClientSessionOptions): Promise<ClientCheck> {
  const environment = options.environment ?? process.env;
  const path = clientFolderPath(environment);
  const hasFolder = (await stat(path).catch(() => undefined)) !== undefined;
  const session = hasFolder ? await openSession(options) : undefined;
  const folder = Array.isArray(session)
    ? session
    : [
        hasFolder
          ? fine("client", "client.folder", `configuration in ${path}`)
          : note("client", "client.folder", `nobody has signed in here: there is no ${path}`, "qf login"),
      ];
  const management = await checkManagement(options);
  const opened = session === undefined || Array.isArray(session) ? undefined : session;
  const personal =
    opened === undefined ? [] : await checkPerson(opened, { isReachable: management.config !== undefined });
  return {
    findings: [...folder, ...management.findings, ...(await checkLogs(path)), ...personal],
    domain: management.config?.domain,
  };
}

/** Reports logs that contradict what this device has seen of them. */
async function checkLogs(folder: string): Promise<Finding[]> {
  const fix = `keep ${join(folder, ALARMS_FILE)}, which has both checkpoints, and run qf audit verify`;
  return Object.entries(await logAlarms(folder)).map(([origin, { what }]) =>
    problem("management", "log.differs", `${printable(what)} (${printable(origin)})`, fix),
  );
}

/** The session, or why there is none. */
async function openSession(options: ClientSessionOptions): Promise<ClientSession | Finding[] | undefined> {
  try {
    const session = await openClientSession({ ...options, interactive: false });
    await session.folder.readConfig();
    return session;
  } catch (error) {
    if (!isQfError(error)) throw error;
    // The server check reports a missing server.
    if (error.code === "ERR_USAGE") return undefined;
    const code = error.code === "ERR_STATE_DAMAGED" ? "client.damaged" : "client.folder";
    return [problem("client", code, error.message, error.hint ?? "look at the file that is named")];
  }
}

async function checkManagement(
  options: ClientSessionOptions,
): Promise<{ readonly findings: Finding[]; readonly config: ClientConfig | undefined }> {
  const environment = options.environment ?? process.env;
  const clock = options.clock ?? systemClock;
  try {
    const url = await managementUrlOf(environment, options.managementUrl);
    const api = createClientApi({ url, ...(options.fetch === undefined ? {} : { fetch: options.fetch }) });
    const startedMs = clock.nowMs();
    const config = await api.config();
    const roundTripMs = clock.nowMs() - startedMs;
    const reach = fine(
      "management",
      "management.reach",
      `reached at ${api.origin} in ${Math.round(roundTripMs)} ms`,
    );
    const offset =
      config.nowMs === undefined ? [] : [clockFinding(startedMs + roundTripMs / 2 - config.nowMs)];
    return { findings: [reach, ...offset], config };
  } catch (error) {
    if (!isQfError(error)) throw error;
    const code = error.code === "ERR_USAGE" ? "management.url" : "management.reach";
    const fix = error.hint ?? "check the URL and that the server runs";
    return { findings: [problem("management", code, error.message, fix)], config: undefined };
  }
}

function clockFinding(offsetMs: number): Finding {
  const size = Math.abs(offsetMs);
  const text =
    size < CLOCK_OFFSET_MS_NOTED
      ? `this clock is ${Math.round(size)} ms off management's`
      : `this clock is ${Math.round(size / 1000)} s ${offsetMs > 0 ? "ahead of" : "behind"} management's`;
  const fix = "synchronise the clock: timedatectl set-ntp true, or chrony";
  if (size > CLOCK_OFFSET_MS_MAX) return problem("management", "clock.offset", text, fix);
  if (size > CLOCK_OFFSET_MS_NOTED) return note("management", "clock.offset", text, fix);
  return fine("management", "clock.offset", text);
}

async function checkPerson(
  session: ClientSession,
  { isReachable }: { readonly isReachable: boolean },
): Promise<Finding[]> {
  const { devices } = await session.folder.readConfig();
  const device = devices[session.api.origin];
  if (device === undefined) {
    const message = `this device is not registered at ${session.api.origin}`;
    // A machine with an agent need not be a client too.
    const say = session.machine === undefined ? problem : note;
    return [say("device", "device.registered", message, "qf login")];
  }
  const login = await checkLogin(session);
  return isReachable ? [login, await checkDevice(session, device.peerId)] : [login];
}

async function checkLogin(session: ClientSession): Promise<Finding> {
  const until = (await session.cachedLogin())?.keptUntilSeconds ?? null;
  if (until === null) {
    const fix = "qf login --ssh-jwt-cache-ttl SECONDS keeps one";
    return note("login", "login.kept", "no login is kept: every connection signs in", fix);
  }
  const minutes = Math.floor((until - session.clock.nowMs() / 1000) / 60);
  const text = `the login is kept for ${minutes} more minutes`;
  const endsSoon = minutes * 60 < LOGIN_ENDS_SECONDS;
  return endsSoon ? note("login", "login.kept", text, "qf login") : fine("login", "login.kept", text);
}

/** Asks management, signing with the device key. */
async function checkDevice(session: ClientSession, peerId: string): Promise<Finding> {
  try {
    await askNames(session);
    return fine("device", "device.registered", `registered as ${peerId}`);
  } catch (error) {
    if (!isQfError(error)) throw error;
    // An older server lacks this request; the device is fine.
    if (error.code === "ERR_NOT_FOUND") return fine("device", "device.registered", `known here as ${peerId}`);
    const fix = error.code === "ERR_LOGIN_REQUIRED" ? "qf login" : (error.hint ?? "qf login");
    return problem("device", "device.registered", error.message, fix);
  }
}
