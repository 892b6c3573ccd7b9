/**
 * What the pages of the hosted sign-in say. Pure: markup in, markup out.
 *
 * @module
 */
import type { HostedLoginData } from "../../wire/hosted-login.ts";
import { factList, html, page } from "./html.ts";

/** Asks whether this sign-in is wanted. Shows everything an approval will be bound to. */
export function hostedConfirmPage(
  data: HostedLoginData,
  shown: { sourceAddress: string; csrf: string; origin: string },
): string {
  const facts: [string, string][] = [
    ["Device", data.deviceName],
    ["Address", shown.sourceAddress],
    ["Server", shown.origin],
  ];
  if (data.target !== "") facts.push(["Target", data.target]);
  if (data.localUser !== "") facts.push(["Local user", data.localUser]);
  return page(
    "Sign in a terminal",
    html`<p>A terminal elsewhere asks to be signed in to QuFabric as you:</p>
${factList(facts)}
<p>Only go on if you have just started this yourself.</p>
<form method="post">
<input type="hidden" name="csrf" value="${shown.csrf}">
<button type="submit" name="action" value="confirm" autofocus>Continue</button>
</form>
<form method="post">
<input type="hidden" name="csrf" value="${shown.csrf}">
<button type="submit" name="action" value="deny">Deny</button>
</form>`,
  );
}

/** The one-time code, for the waiting terminal and nobody else. */
export function hostedCodePage(data: HostedLoginData, code: string): string {
  return page(
    "Your one-time code",
    html`<p>Type this code into the terminal on <strong>${data.deviceName}</strong>:</p>
<p><output id="code">${code}</output></p>
<p>It works once, for five minutes. Give it to nobody, whoever asks.</p>`,
  );
}

/** Where a click is enough. */
export function hostedDonePage(data: HostedLoginData): string {
  return page(
    "Signed in",
    html`<p>The terminal on <strong>${data.deviceName}</strong> goes on by itself. You can close this page.</p>`,
  );
}
