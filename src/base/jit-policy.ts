/**
 * The runtime's eagerness to compile. The executable starts reluctantly (`jitPolicy` in `build.ts`), since a
 * command that ends after a few messages would spend a fifth of its processor time on compiling.
 *
 * @module
 */

/** The runtime's own policy from here on: for processes that go on, and for those that carry bytes. */
export function compileHotCode(): void {
  Bun.unsafe.setJITPolicy(1);
}
