import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { trustOf } from "../../../src/management/ca/key-ring.ts";
import {
  type ExternalOidcOptions,
  embeddedOidc,
  externalOidc,
} from "../../../src/management/idp/settings.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const base: ExternalOidcOptions = { issuer: "https://idp.example.com", clientId: "qf-cli" };

async function settings(change: Partial<ExternalOidcOptions>) {
  return externalOidc({ ...base, ...change }, silentLog);
}

test.each<
  [name: string, change: Partial<ExternalOidcOptions>, audiences: string[], clients: string[] | undefined]
>([
  ["one client", {}, ["qf-cli"], undefined],
  ["a client of the pages' own", { webClientId: "qf-web" }, ["qf-cli", "qf-web"], undefined],
  ["one audience of both", { webClientId: "qf-web", audience: "project" }, ["project"], ["qf-cli", "qf-web"]],
  ["one audience of one client", { audience: "project" }, ["project"], ["qf-cli"]],
])("tokens of %s are believed by its audiences", async (_name, change, audiences, clients) => {
  const trust = trustOf(await settings(change));
  expect([trust.audiences, trust.clients]).toEqual([audiences, clients]);
});

test("a secret is the pages' client's, and keeps qf from signing in by itself only where that is the same", async () => {
  const clientSecretFile = join(tempFolder(), "secret");
  writeFileSync(clientSecretFile, "s3cret\n", { mode: 0o600 });
  expect(await settings({ clientSecretFile })).toMatchObject({ loopback: false, webClientId: "qf-cli" });
  expect(await settings({ clientSecretFile, webClientId: "qf-web" })).toMatchObject({
    loopback: true,
    clientId: "qf-cli",
    webClientId: "qf-web",
    clientSecret: "s3cret",
  });
});

test("an empty client is none, and the embedded provider has one for both", async () => {
  const refused = await settings({ webClientId: "" }).catch(
    (error: unknown) => isQfError(error) && error.code,
  );
  expect(refused).toBe("ERR_USAGE");
  const { clientId, webClientId } = embeddedOidc("https://qf.example.com", fetch);
  expect(webClientId).toBe(clientId);
});

test.each([
  ["email", true],
  ["preferred_username", true],
  ["upn", true],
  ["sub", false],
  ["oid", false],
])("known by %s: a word that it may become somebody else's is %p", async (userIdClaim, isWarned) => {
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (...line: unknown[]) => void warnings.push(line) };
  const oidc = await externalOidc({ ...base, userIdClaim }, log);
  expect([oidc.userIdClaim, warnings.length > 0]).toEqual([userIdClaim, isWarned]);
});
