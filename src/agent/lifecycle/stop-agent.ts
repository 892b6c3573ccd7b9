/**
 * Stops an agent for good, part by part. Parts that stop late may be needed by those that stop earlier.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import type { FailureCount } from "../contracts/failure-count.ts";
import type { Recorder } from "../contracts/recorder.ts";
import type { SshServer } from "../contracts/server-context.ts";
import { lastUpload } from "../control-link/audit-upload.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import type { SyncClient } from "../control-link/sync-client.ts";
import type { ControlServer } from "../control-socket/control-server.ts";
import type { Succession } from "../handover/succession.ts";
import type { LocalPrograms } from "../intercept/local-programs.ts";
import type { Listeners } from "../listeners/listeners.ts";
import type { StdioListener } from "../listeners/stdio-listener.ts";
import { writePublicClient } from "../state/state.ts";
import type { AgentParts } from "./agent-parts.ts";
import { stopPart } from "./stop-part.ts";

/** Parts that an agent makes one after the other at its start. Absent: not made yet. */
export interface MadeParts {
  maps?: MapHolder;
  failures?: FailureCount;
  ssh?: SshServer;
  listeners?: Listeners;
  control?: ControlServer;
  stdio?: StdioListener;
  sync?: SyncClient;
  watch?: { stop(): void };
  programs?: LocalPrograms;
  recorder?: Recorder;
}

export interface Stopping extends Readonly<MadeParts> {
  readonly parts: AgentParts;
  readonly log: Log;
  readonly bootId: string;
  readonly flags: AgentFlagsStored;
  readonly succession: Pick<Succession, "endBefore" | "close">;
}

/** Never rejects. A part that fails to stop is logged. */
export async function stopAgent(agent: Stopping): Promise<void> {
  const { log, listeners, sync, bootId, flags } = agent;
  const { paths, spool, lock } = agent.parts;
  agent.watch?.stop();
  const attempt = (what: string, step: () => unknown) => stopPart(log, what, step);
  await attempt("programs", () => agent.programs?.close());
  await attempt("listener", () => listeners?.listener.listenAt(null));
  await attempt("plain listener", () => listeners?.plain.listenAt(null));
  await attempt("pings", () => listeners?.pings.close());
  await attempt("stdio", () => agent.stdio?.close());
  await attempt("ssh", () => Promise.all([agent.ssh?.close(), agent.succession.endBefore()]));
  await attempt("recorder", () => agent.recorder?.close());
  await attempt("relay", () => listeners?.relay.close());
  await attempt("failures", () => agent.failures?.close());
  await attempt("audit", () => spool.record({ type: "agent.state", what: "stopped", detail: bootId }));
  await attempt("run socket", () => agent.succession.close());
  await attempt("upload", () => lastUpload(spool, () => sync?.state().connected === true));
  await attempt("sync", () => sync?.close());
  await attempt("control", () => agent.control?.close());
  await attempt("map", () => agent.maps?.flush());
  await attempt("public", () => writePublicClient(paths, flags, null));
  await attempt("spool", () => spool.close());
  await attempt("lock", () => lock.release());
  log.info("agent stopped");
}
