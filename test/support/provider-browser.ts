/** What a browser does at the provider of `provider.ts`: it is sent back at once, with a code or an error. */

/** Follows the provider's redirect once and returns where it leads, without going there. */
export async function comeBack(authorizationUrl: string): Promise<URL> {
  const response = await fetch(authorizationUrl, { redirect: "manual" });
  const location = response.headers.get("location");
  if (location === null) throw new Error(`the provider sent nobody back: ${await response.text()}`);
  return new URL(location);
}
