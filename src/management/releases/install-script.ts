/**
 * `install.sh` as this server serves it, with the server's public address and the keys that sign releases.
 *
 * @module
 */
import script from "../../../install.sh" with { type: "text" };

/** `origin` is the configured address, never a request's. Throws for values that need shell escaping. */
export function installScript(origin: string, releaseKeys: readonly string[]): string {
  return [
    ["QF_URL", origin],
    ["QF_RELEASE_KEYS", releaseKeys.join("\n")],
  ].reduce((text, [name, value = ""]) => {
    if (/['\\]/.test(value)) throw new TypeError(`${name} cannot stand in a shell script`);
    // A function, because `$` in a replacement string is special.
    return text.replace(`  ${name}=''\n`, () => `  ${name}='${value}'\n`);
  }, script);
}
