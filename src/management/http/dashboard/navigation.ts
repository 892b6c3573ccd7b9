/**
 * Navigations: requests by which a person comes to a page, and no script, frame or image of another.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";

/**
 * Throws ERR_FORBIDDEN for what a browser says is no navigation of a whole page. Programs that say nothing
 * pass: they have no cookies of a person.
 */
export function requireNavigation(request: Request): void {
  const mode = request.headers.get("sec-fetch-mode");
  const dest = request.headers.get("sec-fetch-dest");
  if ((mode === null || mode === "navigate") && (dest === null || dest === "document")) return;
  throw new QfError("ERR_FORBIDDEN", "this page is opened by a person, not by another page's script");
}
