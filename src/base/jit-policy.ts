/**
 * The runtime's JIT thresholds. The executable starts with high thresholds (`jitPolicy` in `build.ts`): a
 * command that ends after a few messages would otherwise spend a fifth of its processor time on compiling.
 *
 * @module
 */

/** Restores the runtime's default policy, for long-lived processes and those that carry bytes. */
export function compileHotCode(): void {
  Bun.unsafe.setJITPolicy(1);
}
