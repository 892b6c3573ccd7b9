/**
 * Resource limits of a process (getrlimit(2)), as pam_limits sets them for a session.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { QfError } from "../../base/errors.ts";
import { limitCalls } from "./libc.ts";

export interface ResourceLimit {
  /** Number of <bits/resource.h>. */
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** As many as Linux has. */
const RESOURCES = 16;
/** Address space and data: a runtime with a heap of its own cannot live within them. */
export const MEMORY_RESOURCES: readonly number[] = [2, 9];

export function readLimits(): ResourceLimit[] {
  return Array.from({ length: RESOURCES }, (_, resource) => {
    const words = new BigUint64Array(2);
    if (limitCalls().getrlimit(resource, ptr(words)) !== 0) throw refused();
    return { resource, soft: words[0] as bigint, hard: words[1] as bigint };
  });
}

/** Throws when one is refused. */
export function setLimits(limits: readonly ResourceLimit[]): void {
  for (const { resource, soft, hard } of limits) {
    if (limitCalls().setrlimit(resource, ptr(BigUint64Array.of(soft, hard))) !== 0) throw refused();
  }
}

/**
 * Back to what they were, as far as the system lets us: without CAP_SYS_RESOURCE a lowered limit stays.
 * Throws when a memory limit does, since this runtime would not live long then.
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

/** While still root: makes room for what `limits` will want once root is gone. */
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
