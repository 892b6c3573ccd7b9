/**
 * Resource limits of a process (getrlimit(2)), which pam_limits sets for a session.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { QfError } from "../../base/errors.ts";
import { limitCalls } from "./libc.ts";

export interface ResourceLimit {
  /** Number in <bits/resource.h>. */
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** The number of limits in Linux. */
const RESOURCES = 16;
/** Address space and data size. A runtime with its own heap cannot run within them. */
export const MEMORY_RESOURCES: readonly number[] = [2, 9];

export function readLimits(): ResourceLimit[] {
  return Array.from({ length: RESOURCES }, (_, resource) => {
    const words = new BigUint64Array(2);
    if (limitCalls().getrlimit(resource, ptr(words)) !== 0) throw refused();
    return { resource, soft: words[0] as bigint, hard: words[1] as bigint };
  });
}

/** Throws when a limit is refused. */
export function setLimits(limits: readonly ResourceLimit[]): void {
  for (const { resource, soft, hard } of limits) {
    if (limitCalls().setrlimit(resource, ptr(BigUint64Array.of(soft, hard))) !== 0) throw refused();
  }
}

/**
 * Restores limits as far as possible: without CAP_SYS_RESOURCE a lowered hard limit stays. Throws if a memory
 * limit cannot be restored, because this runtime would not survive.
 */
export function restoreLimits(limits: readonly ResourceLimit[]): void {
  for (const limit of limits) {
    try {
      setLimits([limit]);
    } catch (cause) {
      if (MEMORY_RESOURCES.includes(limit.resource)) throw cause;
    }
  }
}

/** Raises hard limits as `limits` requires. Call it while still root. */
export function makeRoomFor(limits: readonly ResourceLimit[]): void {
  const current = readLimits();
  setLimits(
    limits.flatMap((limit) => {
      const now = current[limit.resource];
      return now === undefined || limit.hard <= now.hard ? [] : [{ ...now, hard: limit.hard }];
    }),
  );
}

function refused(): QfError {
  return new QfError("ERR_UNAVAILABLE", "the operating system refused a resource limit");
}
