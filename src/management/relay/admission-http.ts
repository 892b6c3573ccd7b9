/**
 * Checks requests for relay sockets before one is opened, and decides what the socket then is: a client's
 * stream or a machine's link.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { createSourceLimits, type SourceLimits } from "../../fabric/source-limits.ts";
import type { RelayReset } from "../../wire/relay.ts";
import type { PeerId } from "../../wire/units.ts";
import { refusal, refusalOfUpgrade } from "../web/upgrade.ts";
import type { Admission, AdmittedAgent, AdmittedDial, DialClaim, NotAdmitted } from "./admission.ts";
import type { Tunnel } from "./tunnel.ts";

/** The result of checking a request. Without a proven device there is no socket. */
export type DialCheck = CheckedDial | { readonly ok: true; readonly agent: AdmittedAgent } | NotAdmitted;

/** A client's admitted stream. */
export interface CheckedDial {
  readonly ok: true;
  readonly dial: AdmittedDial;
  /** Leads to the process that has the machine's link. Null: the link is here, or nowhere. */
  readonly tunnel: Tunnel | null;
}

/** The peer that was checked. Empty: none is proven. */
export function peerOf(check: DialCheck): PeerId {
  if (!check.ok) return check.source ?? "";
  return "agent" in check ? check.agent.peerId : check.dial.hello.source;
}

export interface AskedRequest {
  readonly request: Request;
  readonly sourceAddress: string;
  /** Origin whose pages may ask. Null: no page may. */
  readonly ownOrigin: string | null;
}

export interface Gate {
  dial(claim: DialClaim): Promise<AdmittedDial | NotAdmitted>;
  serve(headers: Headers): Promise<DialCheck>;
  /** Answers the request, or passes it to `upgrade`. Undefined: the connection is a WebSocket now. */
  pass(
    asked: AskedRequest,
    check: (headers: Headers) => Promise<DialCheck>,
    upgrade: (check: DialCheck) => boolean,
  ): Promise<Response | undefined>;
}

export function createGate(options: {
  readonly clock: Clock;
  readonly admission: Admission;
  /** Most requests of one device that are checked at once. */
  readonly perDeviceMax: number;
}): Gate {
  const { clock, admission, perDeviceMax } = options;
  // Requests in progress and failures are counted by address, refusals by device.
  const sources: SourceLimits = createSourceLimits(clock);
  const devices: SourceLimits = createSourceLimits(clock, { perSourceMax: perDeviceMax });

  return {
    async dial(claim) {
      const admitted = await admission.dial(claim);
      const source: PeerId | null = admitted.ok ? admitted.hello.source : admitted.source;
      if (source !== null) {
        if (!devices.enter(source)) return { ok: false, reset: "limit" satisfies RelayReset, source };
        devices.leave(source, admitted.ok);
      }
      return admitted;
    },
    async serve(headers) {
      const admitted = await admission.serve(headers);
      return admitted.ok ? { ok: true, agent: admitted } : admitted;
    },
    async pass({ request, sourceAddress, ownOrigin }, checkDial, upgrade) {
      const refused = refusalOfUpgrade(request, { clients: "peers", ownOrigin });
      if (refused !== null) return refused;
      if (!sources.enter(sourceAddress)) return refusal(429, "too many requests");
      let check: DialCheck = { ok: false, reset: "unproven", source: null };
      try {
        check = await checkDial(request.headers);
      } finally {
        sources.leave(sourceAddress, check.ok || check.source !== null);
      }
      // Without a proven device nothing is kept open, not even to give the reason.
      if (!check.ok && check.source === null) return refusal(401, "no registered device is proven");
      return upgrade(check) ? undefined : refusal(400, "not a WebSocket request");
    },
  };
}
