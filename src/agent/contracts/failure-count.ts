/**
 * Counts unproven sign-in failures and records them once in each window, so that a flood costs few audit
 * events.
 *
 * @module
 */
import type { AuditSink } from "../../audit/sink.ts";
import type { Log } from "../../base/log.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { PeerId } from "../../wire/units.ts";

const WINDOW_MS = 10_000;
/** Most sources counted separately in one window. The rest is counted together. */
const SOURCES_MAX = 256;

export interface FailureCount {
  add(sourceAddress: string, devicePeerId: PeerId | null, reason: ReasonCode): void;
  /** Records the counts so far. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Counted {
  readonly sourceAddress: string;
  readonly devicePeerId: PeerId | null;
  readonly reason: ReasonCode;
  count: number;
}

export function createFailureCount(options: { audit: AuditSink; log: Log; windowMs?: number }): FailureCount {
  const counts = new Map<string, Counted>();
  const timer = setInterval(() => void flush(), options.windowMs ?? WINDOW_MS);
  timer.unref();

  async function flush(): Promise<void> {
    const counted = [...counts.values()];
    counts.clear();
    for (const one of counted) {
      await options.audit.record({ type: "auth.failed", ...one }).catch((cause: unknown) => {
        options.log.warn("failed sign-ins could not be recorded", { count: one.count }, cause);
      });
    }
  }

  return {
    add(sourceAddress, devicePeerId, reason) {
      const key = `${sourceAddress} ${devicePeerId ?? ""} ${reason}`;
      const known = counts.get(key);
      if (known !== undefined) known.count += 1;
      else if (counts.size < SOURCES_MAX) {
        counts.set(key, { sourceAddress, devicePeerId, reason, count: 1 });
      } else {
        const rest = counts.get("") ?? { sourceAddress: "several", devicePeerId: null, reason, count: 0 };
        rest.count += 1;
        counts.set("", rest);
      }
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
