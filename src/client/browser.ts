/**
 * Opens a URL in the person's browser. The URL is also printed, so a failure here is not an error.
 *
 * @module
 */
import { platformFor } from "../base/platform/platform.ts";
import type { Environment } from "./client-folder.ts";

/** Variables that hold our secrets, which no child process sees. */
export const SECRET_VARIABLES = ["QF_TOKEN", "QF_TOKEN_FILE"] as const;

/**
 * Whether a browser can be expected on this machine: not in an SSH session, not without a display. `$BROWSER`
 * implies one, whatever the display.
 */
export function hasBrowser(environment: Environment, platform: string = process.platform): boolean {
  if (environment.QF_NO_BROWSER === "1" || isSet(environment.SSH_CONNECTION)) return false;
  if (isSet(environment.BROWSER)) return true;
  return platform !== "linux" || isSet(environment.DISPLAY) || isSet(environment.WAYLAND_DISPLAY);
}

/** The command that opens `url`: `$BROWSER` with `%s` replaced, or the system's opener. */
export function browserCommand(
  url: string,
  environment: Environment,
  platform: string = process.platform,
): string[] {
  const words = (environment.BROWSER ?? "").split(" ").filter((word) => word !== "");
  if (words.length === 0) return platformFor(platform).opener(url);
  if (!words.some((word) => word.includes("%s"))) return [...words, url];
  return words.map((word) => word.replaceAll("%s", url));
}

/** Starts the browser and does not wait for it. */
export function openBrowser(url: string, environment: Environment): void {
  const env: Record<string, string | undefined> = { ...environment };
  for (const name of SECRET_VARIABLES) delete env[name];
  try {
    const child = Bun.spawn(browserCommand(url, environment), {
      stdio: ["ignore", "ignore", "ignore"],
      env,
    });
    child.unref();
  } catch {
    // The URL is on the terminal.
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
