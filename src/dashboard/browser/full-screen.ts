/**
 * The whole screen for the terminal, and with it the keys that a browser keeps for its tabs, such as Ctrl W,
 * where the browser hands them over. Holding Esc leaves it then.
 *
 * @module
 */

/** Not in every browser, and not in TypeScript's types. */
interface LockingNavigator {
  readonly keyboard?: { lock?(): Promise<void> };
}

export async function enterFullScreen(): Promise<void> {
  try {
    await document.documentElement.requestFullscreen();
    await (navigator as LockingNavigator).keyboard?.lock?.();
  } catch {
    // The browser or the person does not want it: the page stays as it is.
  }
}
