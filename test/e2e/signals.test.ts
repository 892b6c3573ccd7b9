/** SIGHUP, as other programs send it to daemons when a certificate was renewed, at `qf management serve`. */
import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { connect } from "node:tls";
import { openLab } from "../support/lab.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { RENEWED, writeTlsFiles } from "../support/tls.ts";
import { until } from "../support/until.ts";

test("a signal to reread shows a renewed certificate, and does not end management", async () => {
  const { tlsCert, tlsKey } = writeTlsFiles(tempFolder());
  await using lab = await openLab({ serveArgs: ["--tls-cert", tlsCert, "--tls-key", tlsKey] });
  const port = Number(new URL(lab.url).port);
  const before = await shown(port);
  writeFileSync(tlsCert, RENEWED.cert);
  writeFileSync(tlsKey, RENEWED.key);
  lab.management?.process.kill("SIGHUP");
  // A connection that comes while the listener is replaced is reset.
  const shownNow = () => shown(port).catch(() => before);
  await until("the renewed certificate", async () => (await shownNow()) !== before);
  expect(lab.management?.process.exitCode).toBeNull();
});

test("a signal to reread does not end management while it waits for its database", async () => {
  const asked = Promise.withResolvers<void>();
  const database = createServer(() => asked.resolve());
  await new Promise<void>((resolve) => database.listen(0, "127.0.0.1", resolve));
  const { port } = database.address() as { port: number };
  await using lab = await openLab({ start: false });
  await lab.initManagement();
  const url = `postgres://qf@127.0.0.1:${port}/qf?sslmode=disable`;
  const words = ["management", "serve", "--data-dir", lab.dataDir, "--database-url", url];
  const child = Bun.spawn([lab.executable, ...words], { env: lab.env(), stdout: "ignore", stderr: "ignore" });
  await asked.promise;
  // What the kernel does with a signal: bit 0 is SIGHUP's.
  const caught = /^SigCgt:\s+(\w+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? "0";
  expect(BigInt(`0x${caught}`) & 1n).toBe(1n);
  child.kill("SIGKILL");
  await child.exited;
  database.close();
});

function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerX509Certificate()?.raw ?? "").fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
