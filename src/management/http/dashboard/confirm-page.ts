/**
 * The page on which a person confirms one request of the dashboard, right after a fresh sign-in for it.
 *
 * It has no script. Its form carries a proof that only the browser that signed in has, so no script of the
 * dashboard can submit it.
 *
 * @module
 */
import { factList, html, messagePage, page } from "../../../base/html.ts";
import { isEqualSecret, sha256 } from "../../../base/random.ts";
import { DASHBOARD_SIGN_IN_PATH } from "../../../wire/web-session.ts";
import type { ConfirmFacts } from "../admin/confirmation.ts";

/** `secret` is the session's, which no script can read. */
export function confirmPage(secret: string, digest: string, facts: ConfirmFacts): string {
  return page(
    "Confirm this change",
    html`<p>The dashboard asks for this in your name.</p>
${factList(facts)}
<form method="post" action="${DASHBOARD_SIGN_IN_PATH}">
<input type="hidden" name="digest" value="${digest}">
<input type="hidden" name="proof" value="${proofOf(secret, digest)}">
<button type="submit">Confirm</button>
</form>
<p class="hint">If you did not ask for it, close this page and end your other sessions.</p>`,
  );
}

export function confirmedPage(): string {
  return messagePage(
    "Confirmed",
    "go back to the page where you were, and press the button again",
    "this is good for that one change, until two minutes after you signed in",
  );
}

/** Whether the form came from the page that this session was given. */
export function isConfirmProof(secret: string, digest: string, proof: string): boolean {
  return isEqualSecret(proof, proofOf(secret, digest));
}

function proofOf(secret: string, digest: string): string {
  return sha256(`qufabric/dashboard/confirm/${secret}/${digest}`);
}
