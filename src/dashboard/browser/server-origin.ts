/**
 * The address at which machines and `qf` reach the server: its public one, which need not be that of this
 * page.
 *
 * @module
 */
export function serverOrigin(): string {
  const said = document.querySelector<HTMLMetaElement>('meta[name="qf-server"]')?.content ?? "";
  return said === "" ? window.location.origin : said;
}
