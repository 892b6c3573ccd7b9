/**
 * Looks up a machine's address with the device key alone: it needs no sign-in, and the answer grants nothing.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../base/clock.ts";
import { type Ed25519Key, signEd25519 } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import type { NamesResponse, TargetInfo } from "../wire/client-api.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { ClientApi } from "./client-api.ts";
import type { ClientSession } from "./client-session.ts";
import type { Scope } from "./device.ts";

export interface FoundTarget {
  readonly target: TargetInfo;
  readonly scope: Scope;
  readonly devicePeerId: string;
}

/** This device's registration at the session's management server. Throws ERR_LOGIN_REQUIRED. */
export async function registeredDevice(
  session: ClientSession,
): Promise<Pick<FoundTarget, "scope" | "devicePeerId">> {
  const { devices } = await session.folder.readConfig();
  const device = devices[session.api.origin];
  if (device !== undefined) {
    return {
      devicePeerId: device.peerId,
      scope: { accountId: device.accountId, origin: session.api.origin },
    };
  }
  throw new QfError("ERR_LOGIN_REQUIRED", `this device is not registered at ${session.api.origin}`, {
    hint: "run qf login once",
  });
}

/**
 * The machine that `typed` (name, full name, overlay address or peer id) is. Throws ERR_LOGIN_REQUIRED for a
 * device that is not registered, ERR_ACCESS_DENIED when no rule lets it reach such a machine.
 */
export async function findTarget(session: ClientSession, typed: string): Promise<FoundTarget> {
  const device = await registeredDevice(session);
  return { ...device, target: await findTargetAs({ ...session, ...device }, typed) };
}

/** A device or machine that asks with its own key. */
export interface Asker {
  readonly api: Pick<ClientApi, "challenge" | "target" | "names">;
  readonly clock: Clock;
  readonly deviceKey: Ed25519Key;
  readonly scope: Scope;
  readonly devicePeerId: string;
}

/** As `findTarget`, for a device known to be registered. */
export async function findTargetAs(asker: Asker, typed: string): Promise<TargetInfo> {
  const { api, clock, deviceKey, scope, devicePeerId } = asker;
  const { challenge } = await api.challenge();
  const fields = { challenge, devicePeerId, target: typed.toLowerCase(), timeSeconds: nowSeconds(clock) };
  const deviceSignature = signEd25519(deviceKey, signedBytes("target", scope, fields));
  return (await api.target({ ...fields, deviceSignature })).target;
}

/** Throws ERR_PEER_UNREACHABLE for a machine that serves no SSH or cannot be reached now. */
export function requireReachable({ name, sshServer, connected, direct }: TargetInfo): void {
  if (!sshServer) {
    throw new QfError("ERR_PEER_UNREACHABLE", "SSH server not detected", {
      hint: `run qf agent up --allow-server-ssh on ${name}`,
    });
  }
  if (!connected && direct.length === 0) {
    throw new QfError("ERR_PEER_UNREACHABLE", `${name} is not connected`, {
      hint: "start it, or look at qf agent status there",
    });
  }
}

/**
 * Machines that this device can name without the domain, according to management now. Throws
 * ERR_LOGIN_REQUIRED for a device that is not registered, ERR_ACCESS_DENIED for one that is blocked or waits
 * for approval.
 */
export async function askNames(session: ClientSession): Promise<NamesResponse> {
  return askNamesAs({ ...session, ...(await registeredDevice(session)) });
}

/** As `askNames`; with `addresses`, also every machine that some rule opens, if management supports it. */
export async function askNamesAs(asker: Asker, addresses?: "yes"): Promise<NamesResponse> {
  const { api, clock, deviceKey, scope, devicePeerId } = asker;
  const { challenge } = await api.challenge();
  const more = addresses === undefined ? {} : { addresses };
  const fields = { challenge, devicePeerId, timeSeconds: nowSeconds(clock), ...more };
  const deviceSignature = signEd25519(deviceKey, signedBytes("names", scope, fields));
  return api.names({ ...fields, deviceSignature });
}
