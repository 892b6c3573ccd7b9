/**
 * The second step: the identity provider that people sign in with, and how to connect another.
 *
 * @module
 */
import { serverOrigin } from "../../browser/server-origin.ts";
import { CopyLine } from "../../components/copy-button.tsx";
import { Disclosure } from "../../components/disclosure.tsx";
import type { Account } from "./use-steps.tsx";

export function SignInStep({ account }: { readonly account: Account }) {
  const isEmbedded = account.settings.embedded_idp_enabled === true;
  return (
    <div className="flex flex-col gap-4">
      <p>
        {isEmbedded
          ? "People sign in with an e-mail address and a password that this server keeps. Nothing else is needed to begin."
          : "People sign in at your own identity provider, as you did. They appear here when they first do."}
      </p>
      {isEmbedded ? (
        <Disclosure title="Use your own provider instead" summary="Entra, Google, Okta, Keycloak, …">
          <div className="flex flex-col gap-3 sm:col-span-2">
            <p className="text-soft">
              Register a web application there with the address below, and start the server with its issuer.
              Who signs in there is another person than here, so this is best done before others are invited.
            </p>
            <CopyLine label="Copy the address" text={`${serverOrigin()}/login/callback`} />
            <CopyLine
              label="Copy the options"
              text="qf management serve --oidc-issuer https://… --oidc-client-id … --oidc-web-client-id …"
            />
          </div>
        </Disclosure>
      ) : null}
    </div>
  );
}
