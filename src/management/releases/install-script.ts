/**
 * `install.sh` as this server hands it out: with its own public address, and the keys that sign releases.
 *
 * @module
 */
import script from "../../../install.sh" with { type: "text" };

/** The address is the configured one, never what a request names. Throws for what a shell would read. */
export function installScript(origin: string, releaseKeys: readonly string[]): string {
  return [
    ["QF_URL", origin],
    ["QF_RELEASE_KEYS", releaseKeys.join("\n")],
  ].reduce((text, [name, value = ""]) => {
    if (/['\\]/.test(value)) throw new TypeError(`${name} cannot stand in a shell script`);
    // A function, since a string would have its dollars read.
    return text.replace(`  ${name}=''\n`, () => `  ${name}='${value}'\n`);
  }, script);
}
