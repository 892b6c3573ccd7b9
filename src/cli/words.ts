/** Times and people as they are written for people. */
import { printable } from "../base/printable.ts";

/** `2026-11-20 14:03:00 UTC`. */
export function timeText(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `Alice <alice@example.com>`, or whichever of the two there is. */
export function describeUser(user: { readonly name: string; readonly email: string }): string {
  const name = printable(user.name);
  const email = printable(user.email);
  if (email === "" || email === name) return name;
  return name === "" ? email : `${name} <${email}>`;
}
