/**
 * Pages of the hosted sign-in. Pure: data in, HTML out.
 *
 * @module
 */

import { factList, type Html, html, page } from "../../base/html.ts";
import type { HostedLoginData } from "../../wire/hosted-login.ts";

/** Asks whether the person wants this sign-in. Shows everything that the approval is bound to. */
export function hostedConfirmPage(
  data: HostedLoginData,
  shown: { sourceAddress: string; csrf: string; origin: string; key: string },
): string {
  if (data.approval !== undefined) return approvalPage({ ...data, approval: data.approval }, shown);
  const facts: [string, string][] = [
    ["Device", data.deviceName],
    ["Address", shown.sourceAddress],
    ["Server", shown.origin],
  ];
  if (data.target !== "") facts.push(["Target", data.target]);
  if (data.localUser !== "") facts.push(["Local user", data.localUser]);
  if (data.browser === true) facts.push(["Key", shown.key]);
  const asker = data.browser === true ? "A terminal in a page of the dashboard" : "A terminal elsewhere";
  const alike = data.browser === true ? " The page of that terminal shows the same key." : "";
  return page(
    "Sign in a terminal",
    html`<p>${asker} asks to be signed in to QuFabric as you:</p>
${factList(facts)}
<p>Only go on if you have just started this yourself.${alike}</p>
${answerForms(shown.csrf)}`,
  );
}

/** The same question for an SSH client without a certificate: the machine asks, for one connection. */
function approvalPage(
  data: HostedLoginData & { readonly approval: NonNullable<HostedLoginData["approval"]> },
  shown: { sourceAddress: string; csrf: string; origin: string },
): string {
  const facts: [string, string][] = [
    ["Machine", data.target],
    ["Local user", data.localUser],
    ["Address", shown.sourceAddress],
    ["Server", shown.origin],
    ...data.approval.hostKeys.map((fingerprint): [string, string] => ["Host key", fingerprint]),
  ];
  return page(
    "Let an SSH client in",
    html`<p>An SSH client asks this machine to let it in as you:</p>
${factList(facts)}
<p>Only go on if you have just started this yourself, from that address, and your client shows one of
these host keys.</p>
${answerForms(shown.csrf)}`,
  );
}

function answerForms(csrf: string): Html {
  return html`<div class="actions"><form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<button type="submit" name="action" value="confirm" autofocus>Continue</button>
</form>
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
<button type="submit" name="action" value="deny" class="secondary">Deny</button>
</form></div>`;
}

/** Shows the one-time code, which the person types at the waiting terminal. */
export function hostedCodePage(data: HostedLoginData, code: string): string {
  const where =
    data.approval === undefined
      ? html`the terminal on <strong>${data.deviceName}</strong>`
      : html`the SSH client that connects to <strong>${data.target}</strong>
as <strong>${data.localUser}</strong>`;
  return page(
    "Your one-time code",
    html`<p>Type this code into ${where}:</p>
<p><output id="code">${code}</output></p>
<p>It works once, for five minutes. Give it to nobody, whoever asks.</p>`,
  );
}

/** The last page when a click is enough and there is no code. */
export function hostedDonePage(data: HostedLoginData): string {
  return page(
    "Signed in",
    html`<p>The terminal on <strong>${data.deviceName}</strong> continues by itself.</p>
<p>You can close this page.</p>`,
  );
}
