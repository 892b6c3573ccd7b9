/**
 * Joins class names and skips those that do not apply.
 *
 * @module
 */
export function classes(...names: readonly (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}
