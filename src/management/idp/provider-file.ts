/**
 * A file that records which provider management uses, for `qf doctor` on the same host.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { parseJson, writeJsonAtomic } from "../../base/files.ts";
import { PROVIDER_FILE, ProviderFile } from "../../wire/provider-file.ts";
import type { OidcSettings } from "../contracts/context.ts";
import type { ExternalOidcOptions } from "./settings.ts";

/** Replaces the file of the last start. */
export async function writeProviderFile(
  dataDir: string,
  told: { origin: string; oidc: OidcSettings; external: ExternalOidcOptions | undefined },
): Promise<void> {
  const { origin, oidc, external } = told;
  const { issuer, clientId, webClientId, clientAuth, redirectPort, loopbackHost } = oidc;
  const { audience, scope, userIdClaim, groupsClaim } = oidc;
  const file: ProviderFile = {
    format: 1,
    origin,
    external:
      external === undefined
        ? null
        : {
            issuer,
            clientId,
            webClientId,
            clientSecretFile: external.clientSecretFile ?? null,
            clientAuth,
            redirectPort,
            loopbackHost,
            audience,
            scope,
            userIdClaim,
            groupsClaim,
          },
  };
  await writeJsonAtomic(join(dataDir, PROVIDER_FILE), file, 0o600);
}

/**
 * Undefined: no management of this version has served from this folder. Throws ERR_STATE_DAMAGED; changes
 * nothing.
 */
export async function readProviderFile(dataDir: string): Promise<ProviderFile | undefined> {
  const path = join(dataDir, PROVIDER_FILE);
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new QfError("ERR_PERMISSION", `${path} cannot be read`, {
      hint: "run this as management's user",
      cause,
    });
  });
  if (text === undefined) return undefined;
  const parsed = ProviderFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new QfError("ERR_STATE_DAMAGED", `${path} is damaged`, {
    hint: "start management, which writes it anew",
  });
}
