/**
 * Full screen for the terminal. Where the browser allows it, this also captures keys that it keeps for its
 * tabs, such as Ctrl+W. Holding Esc then leaves full screen.
 *
 * @module
 */

/** The Keyboard Lock API, which some browsers and TypeScript's types lack. */
interface LockingNavigator {
  readonly keyboard?: { lock?(): Promise<void> };
}

export async function enterFullScreen(): Promise<void> {
  try {
    await document.documentElement.requestFullscreen();
    await (navigator as LockingNavigator).keyboard?.lock?.();
  } catch {
    // The browser or the user refuses: the page stays as it is.
  }
}
