/**
 * Rechecks what the relay has admitted: streams after each change of their account, links every minute.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { Store } from "../db/store.ts";
import type { Admission } from "./admission.ts";
import type { Streams } from "./streams.ts";

const SWEEP_MS = 60_000;

export interface RecheckDeps {
  readonly store: Pick<Store, "onChange">;
  readonly log: Log;
  readonly admission: Admission;
  readonly streams: Streams;
  /** Milliseconds after a change in which machines should end forbidden streams themselves. */
  readonly recheckMs: number;
  /** Machines that have a link here. */
  linked(): PeerId[];
  unlink(peerId: PeerId): void;
}

/** Returns a function that stops it. */
export function startRechecking(deps: RecheckDeps): () => void {
  const { log } = deps;
  const dirty = new Set<AccountId>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  const recheck = (): void => {
    timer = undefined;
    const accounts = new Set(dirty);
    dirty.clear();
    recheckStreams(deps, accounts).catch((cause: unknown) => {
      if (!isStopped) log.error("relayed streams could not be looked at again", {}, cause);
    });
  };
  const stopListening = deps.store.onChange((accountId) => {
    dirty.add(accountId);
    timer ??= setTimeout(recheck, deps.recheckMs);
  });
  const sweeping = setInterval(() => {
    sweepLinks(deps, () => isStopped).catch((cause) => log.warn("relay links not looked at", {}, cause));
  }, SWEEP_MS);
  sweeping.unref();
  return () => {
    isStopped = true;
    stopListening();
    clearTimeout(timer);
    clearInterval(sweeping);
  };
}

/**
 * Ends streams that no rule permits any more. The machine had time to end them itself and to give the reason.
 */
async function recheckStreams(
  { admission, streams }: RecheckDeps,
  accounts: ReadonlySet<AccountId>,
): Promise<void> {
  for (const stream of [...streams]) {
    const { accountId, hello } = stream.dial;
    if (stream.isOver || !accounts.has(accountId)) continue;
    if (!(await admission.mayGoOn(accountId, hello))) streams.end(stream, "refused");
  }
}

/**
 * Drops links of removed machines. They were told on their control link; this is for those that ignored it.
 */
async function sweepLinks(deps: RecheckDeps, isStopped: () => boolean): Promise<void> {
  for (const peerId of deps.linked()) {
    if (isStopped()) return;
    if (!(await deps.admission.isMachine(peerId))) deps.unlink(peerId);
  }
}
