import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { readProviderFile, writeProviderFile } from "../../../src/management/idp/provider-file.ts";
import { externalOidc } from "../../../src/management/idp/settings.ts";
import { PROVIDER_FILE } from "../../../src/wire/provider-file.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const ORIGIN = "https://qf.example.com";

test("settings are written for their owner alone, without the secret, and read again", async () => {
  const folder = tempFolder();
  const clientSecretFile = join(folder, "secret");
  writeFileSync(clientSecretFile, "the very secret\n", { mode: 0o600 });
  const external = {
    issuer: "https://idp.example.com/",
    clientId: "qf",
    clientSecretFile,
    groupsClaim: "groups",
  };
  const oidc = await externalOidc(external, silentLog);
  await writeProviderFile(folder, { origin: ORIGIN, oidc, external });
  const path = join(folder, PROVIDER_FILE);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).not.toContain("very secret");
  expect(await readProviderFile(folder)).toMatchObject({
    origin: ORIGIN,
    external: {
      issuer: "https://idp.example.com/",
      clientId: "qf",
      clientSecretFile,
      scope: "openid profile email",
    },
  });
  await writeProviderFile(folder, { origin: ORIGIN, oidc, external: undefined });
  expect(await readProviderFile(folder)).toEqual({ format: 1, origin: ORIGIN, external: null });
});

test("a folder without them, and a file that is damaged, are told apart and left as they are", async () => {
  const folder = tempFolder();
  expect(await readProviderFile(folder)).toBeUndefined();
  writeFileSync(join(folder, PROVIDER_FILE), "{");
  const error = await readProviderFile(folder).catch((thrown: unknown) => thrown);
  expect(isQfError(error, "ERR_STATE_DAMAGED")).toBe(true);
  expect(readFileSync(join(folder, PROVIDER_FILE), "utf8")).toBe("{");
});
