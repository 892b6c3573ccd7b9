/** An authority of one's own in the system's bundle, without the hash link that OpenSSL's folder has. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { executablePath } from "../support/executable.ts";
import { isRoot } from "../support/os-accounts.ts";
import { startTestManagement, type TestManagement } from "../support/running-management.ts";
import { RENEWED, writeTlsFiles } from "../support/tls.ts";

const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

describe.skipIf(!isRoot)("the certificate of a management server", () => {
  const folder = mkdtempSync(join(tmpdir(), "qf-authority-"));
  let executable: string;
  let management: TestManagement;

  beforeAll(async () => {
    executable = await executablePath();
    const files = writeTlsFiles(folder);
    writeFileSync(files.tlsCert, RENEWED.cert);
    writeFileSync(files.tlsKey, RENEWED.key);
    management = await startTestManagement(join(folder, "data"), { ...files, log: silentLog });
  }, 120_000);

  afterAll(async () => {
    await management.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** `qf login` in a mount namespace whose bundle is `text`. Nobody can be asked, so it fails in any case. */
  async function loginWith(text: string): Promise<string> {
    const bundle = join(folder, "bundle.crt");
    writeFileSync(bundle, text);
    const script = `mount --bind ${bundle} ${BUNDLE} && exec "$0" login --no-browser --management-url "$1"`;
    const child = Bun.spawn(["unshare", "--mount", "sh", "-c", script, executable, management.url], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: folder, QF_AGENT_STATE_DIR: join(folder, "none") },
      stdin: "ignore",
      stderr: "pipe",
    });
    return new Response(child.stderr).text();
  }

  test("is trusted by an authority that the system's bundle holds", async () => {
    expect(await loginWith(`${readFileSync(BUNDLE, "utf8")}\n${RENEWED.cert}`)).not.toContain("not trusted");
  });

  test("is not by one that it does not hold, and the hint names SSL_CERT_FILE", async () => {
    const said = await loginWith(readFileSync(BUNDLE, "utf8"));
    expect(said).toContain("its TLS certificate is not trusted");
    expect(said).toContain("SSL_CERT_FILE");
  });
});
