/**
 * Checks `--require-idp-binding` before it is accepted: only the person's own `qf` may have chosen the nonce
 * of the pinned tokens.
 *
 * Management chooses the nonce of sign-ins on its own pages. If these have the same audience as `qf`'s
 * sign-ins, a dishonest management could have a person sign in for a key of its own.
 *
 * @module
 */
import { isQfError, QfError } from "../../base/errors.ts";
import type { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import type { ClientConfig } from "../../wire/client-config.ts";

type Pins = Pick<
  AgentFlagsStored,
  "managementUrl" | "requireIdpBinding" | "pinIssuer" | "pinAudience" | "offlineLogins"
>;

/** The audiences of `--pin-audience`, which may be given more than once. */
export function pinnedAudiences(pinAudience: string | null): readonly string[] {
  return pinAudience === null ? [] : pinAudience.split(",").filter((audience) => audience !== "");
}

/**
 * Throws ERR_USAGE for pins that would not protect. `askConfig` asks management. If it cannot be reached,
 * that part is not checked, and `warn` is called.
 */
export async function checkPins(
  flags: Pins,
  askConfig: () => Promise<Pick<ClientConfig, "oidc">>,
  warn: (text: string) => void,
): Promise<void> {
  if (!flags.requireIdpBinding) return;
  if (flags.pinIssuer === `${flags.managementUrl}/idp`) throw managementIsIssuer();
  let oidc: ClientConfig["oidc"];
  try {
    ({ oidc } = await askConfig());
  } catch (error) {
    if (!isQfError(error, "ERR_UNAVAILABLE") && !isQfError(error, "ERR_TIMEOUT")) throw error;
    warn("management cannot be asked whether its pages use the pinned audience themselves");
    return;
  }
  if (oidc.issuer !== flags.pinIssuer) return;
  const audiences = pinnedAudiences(flags.pinAudience);
  const { webClientId } = oidc;
  if (webClientId === undefined || webClientId === oidc.clientId || oidc.audience !== undefined) {
    throw oneAudience();
  }
  if (!audiences.includes(webClientId)) return;
  if (!audiences.includes(oidc.clientId)) throw oneAudience();
  warn(
    `--pin-audience ${webClientId} also takes sign-ins on management's pages: who controls those can be ` +
      "that person here while they sign in",
  );
}

function managementIsIssuer(): QfError {
  return new QfError("ERR_USAGE", "--require-idp-binding does not hold against the embedded provider", {
    hint: "management is that provider, so it can sign anybody in: pin another provider's issuer",
  });
}

function oneAudience(): QfError {
  return new QfError(
    "ERR_USAGE",
    "--require-idp-binding would not hold: management's own pages sign in with the pinned audience",
    {
      hint: "register a second client there, serve with --oidc-web-client-id, and pin the first one",
    },
  );
}
