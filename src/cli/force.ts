/**
 * The flag `--force` of changes that run the account's policy tests.
 *
 * @module
 */

/** The flag of such a command. */
export const FORCE_ARGS = { force: { type: "boolean" } } as const;

/** The same flag in help texts. */
export const FORCE_OPTION = `\
  --force                  do it although a test of the account fails; this is audited`;

/** The path to send such a change to. */
export function changePath(path: string, { force }: { readonly force?: boolean | undefined }): string {
  return force === true ? `${path}?force=true` : path;
}
