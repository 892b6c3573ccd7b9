/** The TLS files of `serve`: what is taken, and that a renewed pair is in use without a gap. */
import { afterAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { isQfError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { startManagement } from "../../src/management/serve.ts";
import { readTls, type TlsPair, watchTls } from "../../src/management/tls-files.ts";
import { startTestManagement } from "../support/running-management.ts";
import { RENEWED, writeTlsFiles } from "../support/tls.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const aFolder = (): string => mkdtempSync(join(folder, "tls-"));

function renew({ tlsCert, tlsKey }: { tlsCert: string; tlsKey: string }): void {
  writeFileSync(`${tlsCert}.new`, RENEWED.cert);
  writeFileSync(`${tlsKey}.new`, RENEWED.key, { mode: 0o600 });
  renameSync(`${tlsCert}.new`, tlsCert);
  renameSync(`${tlsKey}.new`, tlsKey);
}

describe("watchTls", () => {
  test("takes a renewed pair once, and a half-written one not at all", async () => {
    const paths = writeTlsFiles(aFolder());
    const before = await readTls(paths.tlsCert, paths.tlsKey);
    const used: TlsPair[] = [];
    const errors: unknown[] = [];
    const log = { ...silentLog, error: (...said: unknown[]) => void errors.push(said) };
    const watch = watchTls(paths, { before, log, lookMs: 3_600_000, use: (pair) => void used.push(pair) });
    await watch.look();
    expect(used).toHaveLength(0);
    writeFileSync(paths.tlsCert, RENEWED.cert);
    await watch.look();
    expect({ used: used.length, errors: errors.length }).toEqual({ used: 0, errors: 1 });
    writeFileSync(paths.tlsKey, RENEWED.key);
    await watch.look();
    await watch.look();
    expect(used).toEqual([RENEWED]);
    watch.stop();
  });

  test("notices a change by itself", async () => {
    const paths = writeTlsFiles(aFolder());
    const before = await readTls(paths.tlsCert, paths.tlsKey);
    const used = Promise.withResolvers<TlsPair>();
    const watch = watchTls(paths, { before, log: silentLog, lookMs: 20, use: used.resolve });
    renew(paths);
    expect(await used.promise).toEqual(RENEWED);
    watch.stop();
  });
});

describe("a server whose certificate is renewed", () => {
  /** The certificate that a new connection is shown. */
  function shown(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
        resolve(new X509Certificate(socket.getPeerX509Certificate()?.raw ?? "").fingerprint256);
        socket.destroy();
      });
      socket.once("error", reject);
    });
  }

  test("shows it to new connections; WebSockets go on; nobody else gets the port", async () => {
    const files = writeTlsFiles(aFolder());
    const options = { ...files, log: silentLog };
    const running = await startTestManagement(aFolder(), options);
    const port = Number(new URL(running.url).port);
    const first = await shown(port);
    const socket = new WebSocket(`wss://127.0.0.1:${port}/agent/v1/sync`, {
      tls: { rejectUnauthorized: false },
    } as never);
    const closed = Promise.withResolvers<string>();
    socket.onclose = () => closed.resolve("closed");
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });

    renew(files);
    await running.reload();
    expect(await shown(port)).not.toBe(first);
    expect(await shown(port)).toBe(new X509Certificate(RENEWED.cert).fingerprint256);
    expect(await Promise.race([closed.promise, Bun.sleep(200).then(() => "open")])).toBe("open");
    socket.close();

    const listen = `127.0.0.1:${port}`;
    const second = startManagement({ ...options, dataDir: aFolder(), listen }).catch((error) => error);
    expect(isQfError(await second, "ERR_ADDRESS_IN_USE")).toBe(true);
    await running.close();
  });
});
