/**
 * Checks again what the relay has let in: streams after each change of their account, links every minute.
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
  /** Milliseconds after a change in which machines end themselves what is no longer allowed. */
  readonly recheckMs: number;
  /** Machines that have a link here. */
  linked(): PeerId[];
  unlink(peerId: PeerId): void;
}

/** Returns how to stop. */
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

/** Ends streams that no rule allows any more. The machine had time to end them itself, and to say why. */
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

/** A machine that was removed is told so on its control link; this is for one that takes no notice. */
async function sweepLinks(deps: RecheckDeps, isStopped: () => boolean): Promise<void> {
  for (const peerId of deps.linked()) {
    if (isStopped()) return;
    if (!(await deps.admission.isMachine(peerId))) deps.unlink(peerId);
  }
}
