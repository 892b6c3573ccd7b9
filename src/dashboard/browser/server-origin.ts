/**
 * The server's public origin, at which machines and `qf` reach it. It may differ from the origin of this
 * page.
 *
 * @module
 */
export function serverOrigin(): string {
  const said = document.querySelector<HTMLMetaElement>('meta[name="qf-server"]')?.content ?? "";
  return said === "" ? window.location.origin : said;
}
