/**
 * Problems of a running agent and how to fix them. Pure; `status` and `qf doctor` show them.
 *
 * @module
 */
import { sentenceOfAlarm } from "../control-link/log-alarms.ts";
import { OLDER_MAP } from "../control-link/map-intake.ts";
import { NOT_TRIED_YET, type SyncState } from "../control-link/sync-client.ts";
import { REFUSALS_SECONDS } from "../listeners/refusals.ts";
import type { StatusParts } from "./status-parts.ts";

/** Beyond this offset, certificates and hellos begin to fail. */
const CLOCK_OFFSET_MS_MAX = 30_000;
/** Reported by an agent without root. */
export const ROOTLESS = "runs without root: only the agent's own user is served";
/** Share of the spool above which a person should look. */
const SPOOL_SHARE_MAX = 0.5;

/** Refused connections within the period of `refusals.ts`. A few scanners cause fewer. */
const REFUSED_MAX = 1_000;

const FIX_OF_PROGRAMS =
  "mend it, then qf agent up --intercept or --resolver again; the agent's log says more";

export interface Problem {
  /** One sentence, lower case, no full stop. */
  readonly problem: string;
  /** How a person can fix it. */
  readonly fix: string;
}

/** Empty: no problems. */
export function findProblems(parts: StatusParts): Problem[] {
  return [
    ...linkProblems(parts),
    ...logProblems(parts),
    ...mapProblems(parts),
    ...wayProblems(parts),
    ...flagProblems(parts),
    ...parts.programProblems.map((problem) => ({ problem, fix: FIX_OF_PROGRAMS })),
  ];
}

/** Each kind once, with the time it was first seen. */
function logProblems({ alarms }: StatusParts): Problem[] {
  const kinds = [...new Set(alarms.map(({ kind }) => kind))];
  return kinds.map((kind) => ({
    problem: sentenceOfAlarm(kind),
    fix: "keep log.json of the state folder, which has both notes, and verify the log: qf audit verify",
  }));
}

function linkProblems({ problem, sync, spool, flags }: StatusParts): Problem[] {
  const found: Problem[] = [];
  if (problem !== null) {
    found.push({ problem, fix: "enrol it anew: qf agent down, then qf agent up with a setup key" });
  }
  if (sync !== null && sync.error !== null && sync.error !== problem) {
    found.push({ problem: sync.error, fix: fixOfLink(sync, flags.managementUrl) });
  }
  if (sync?.cloneSuspected === true) {
    found.push({
      problem: "another agent uses this machine's key: its state folder was copied",
      fix: "stop one of the two; a copy is enrolled anew, with an empty --state-dir and a setup key",
    });
  }
  if (sync?.auditHeld === true) {
    found.push({
      problem: "management takes no more audit events of this machine for now: its share of a day is used up",
      fix: "see what it reports so much of; the rest waits here; management serve --audit-share gives more",
    });
  }
  const offsetMs = sync?.clockOffsetMs ?? 0;
  if (Math.abs(offsetMs) > CLOCK_OFFSET_MS_MAX) {
    const seconds = Math.round(offsetMs / 1000);
    found.push({
      problem: `this clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} management's`,
      fix: "synchronise the clock: timedatectl set-ntp true, or chrony",
    });
  }
  if (spool.isBroken) {
    found.push({
      problem: "the audit spool cannot be written: nobody gets in",
      fix: "make room on its disk, then qf agent down and qf agent up",
    });
  } else if (spool.isFailing) {
    found.push({
      problem: "the last audit event could not be written: while that is so nobody gets in",
      fix: "make room on the disk of the state folder, and look for its errors; it is tried again each time",
    });
  } else if (spool.bytes > spool.bytesMax * SPOOL_SHARE_MAX) {
    const share = Math.round((spool.bytes / spool.bytesMax) * 100);
    found.push({
      problem: `the audit spool is ${share} % full; once it is, nobody gets in`,
      fix: "let the agent reach management, which takes the events",
    });
  }
  return found;
}

function fixOfLink({ error, fix, connected }: SyncState, managementUrl: string): string {
  if (error === NOT_TRIED_YET) return "wait a moment";
  if (error === OLDER_MAP) return "if that is meant, stop management, run qf management new-epoch, start it";
  if (fix !== undefined) return fix;
  if (connected) return "look at both logs, and update what is older";
  return `check the network to ${managementUrl}, and that management runs; the agent goes on trying`;
}

function mapProblems({ map, mapAgeSeconds, flags }: StatusParts): Problem[] {
  const fix = "let the agent reach management; qf agent status says what keeps it from there";
  if (map === null) return [{ problem: "no network map yet: nothing is allowed", fix }];
  const found: Problem[] = [];
  if (mapAgeSeconds > map.settings.maxStaleSeconds) {
    found.push({ problem: "the network map is too old: nothing is allowed until management answers", fix });
  } else if (mapAgeSeconds > map.settings.maxStaleRootSeconds) {
    found.push({ problem: "the network map is too old for uid 0 until management answers", fix });
  }
  if (flags.sshServer && !map.self.sshEnabled) {
    found.push({
      problem: "SSH is disabled for this peer in management, or the peer is blocked or waits for approval",
      fix: `an administrator runs qf peer update ${map.self.name} --ssh --approve, or qf peer unblock`,
    });
  }
  return found;
}

function wayProblems({ flags, listening, relay, refused }: StatusParts): Problem[] {
  const found: Problem[] = [];
  if (flags.sshServer && listening.length === 0 && !relay.connected) {
    found.push({
      problem: "no peer can come in: there is no listener, and no link to the relay",
      fix: "give --listen an address, or let the agent reach management",
    });
  }
  const minutes = REFUSALS_SECONDS / 60;
  if (refused.direct >= REFUSED_MAX) {
    found.push({
      problem:
        `${refused.direct} connections were turned away within ${minutes} minutes, ` +
        `the last from ${refused.lastAddress}`,
      fix: "keep strangers from the port by a firewall, or give --listen none: the relay needs no port",
    });
  }
  const { forgedByRelay } = refused;
  if (forgedByRelay > 0) {
    found.push({
      problem: `the relay passes on what no device has sent: ${forgedByRelay} streams were turned away`,
      fix: "find out who stands between this machine and management, and look at management's log",
    });
  }
  return found;
}

function flagProblems({ flags, privileged }: StatusParts): Problem[] {
  const found: Problem[] = [];
  if (flags.sshServer && !privileged) {
    found.push({
      problem: ROOTLESS,
      fix: "run it as root to serve others: sudo qf agent up",
    });
  }
  if (flags.plainSshListen !== null && !flags.sshServer) {
    found.push({
      problem: "--plain-ssh-listen does nothing without --allow-server-ssh",
      fix: "qf agent up --allow-server-ssh",
    });
  } else if (flags.plainSshListen !== null && !flags.sshAuth) {
    found.push({
      problem: "with --disable-ssh-auth nobody can sign in at --plain-ssh-listen",
      fix: "qf agent up --disable-ssh-auth=false",
    });
  }
  return found;
}
