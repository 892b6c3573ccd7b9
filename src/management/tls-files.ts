/**
 * TLS certificate and key of `serve`: reads and checks them, and reloads them when the files change.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { stat } from "node:fs/promises";
import { isQfError, QfError } from "../base/errors.ts";
import { readSmallFile } from "../base/files.ts";
import type { Log } from "../base/log.ts";
import { systemFailure } from "../base/system-error.ts";

/** Largest certificate chain or key file accepted. */
const TLS_FILE_BYTES_MAX = 256 * 1024;
/** How often the files are checked for changes. SIGHUP checks at once. */
const LOOK_MS = 5_000;

/** Certificate chain and private key in PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** Paths of the certificate chain and the key. */
export interface TlsPaths {
  readonly tlsCert: string;
  readonly tlsKey: string;
}

/** A running check for renewed files. */
export interface TlsWatch {
  /** Checks now. Resolves when a changed pair is in use or was refused. */
  look(): Promise<void>;
  stop(): void;
}

/**
 * Calls `use` with each valid pair of files that differs from the one in use. An invalid pair, such as a
 * certificate written before its key, is logged and tried again when the files change.
 */
export function watchTls(
  paths: TlsPaths,
  on: {
    readonly before: TlsPair;
    readonly log: Log;
    readonly lookMs?: number;
    use(pair: TlsPair): void;
  },
): TlsWatch {
  let current = on.before;
  let seen = "";
  let turn = Promise.resolve();
  const look = async (always: boolean): Promise<void> => {
    const mark = await markOf(paths);
    if (!always && mark === seen) return;
    seen = mark;
    try {
      const pair = await readTls(paths.tlsCert, paths.tlsKey);
      if (pair.cert === current.cert && pair.key === current.key) return;
      on.use(pair);
      current = pair;
      on.log.info("TLS certificate renewed", { certificate: paths.tlsCert });
    } catch (cause) {
      on.log.error("the changed TLS files cannot be used; those before stay in use", {}, cause);
    }
  };
  const queue = (always: boolean): Promise<void> => {
    turn = turn.then(() => look(always));
    return turn;
  };
  const timer = setInterval(() => void queue(false), on.lookMs ?? LOOK_MS);
  timer.unref();
  return { look: () => queue(true), stop: () => clearInterval(timer) };
}

/** A string that changes when either file is written or replaced. */
async function markOf({ tlsCert, tlsKey }: TlsPaths): Promise<string> {
  const marks = await Promise.all(
    [tlsCert, tlsKey].map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs, ctimeMs }) => `${ino} ${size} ${mtimeMs} ${ctimeMs}`,
        () => "none",
      ),
    ),
  );
  return marks.join("; ");
}

/**
 * Reads and checks both files, because TLS itself would not say what is wrong. Throws ERR_USAGE, or
 * ERR_PERMISSION for a file that cannot be read.
 */
export async function readTls(certPath: string, keyPath: string): Promise<TlsPair> {
  const cert = await readTlsFile(certPath, "--tls-cert takes a certificate chain in PEM");
  const key = await readTlsFile(keyPath, "--tls-key takes a private key in PEM");
  const certificate = tryParse(() => new X509Certificate(cert));
  const privateKey = tryParse(() => createPrivateKey(key));
  if (certificate === undefined) {
    throw new QfError("ERR_USAGE", `${certPath} holds no certificate`, {
      hint: "--tls-cert takes a chain in PEM",
    });
  }
  if (privateKey === undefined) {
    throw new QfError("ERR_USAGE", `${keyPath} holds no private key`, {
      hint: "--tls-key takes a key in PEM, without a pass phrase",
    });
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new QfError("ERR_USAGE", `the key ${keyPath} does not belong to the certificate ${certPath}`);
  }
  return { cert, key };
}

function tryParse<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

async function readTlsFile(path: string, wanted: string): Promise<string> {
  try {
    return await readSmallFile(path, TLS_FILE_BYTES_MAX);
  } catch (cause) {
    const message = isQfError(cause) ? cause.message : systemFailure(cause)?.message;
    throw new QfError(isQfError(cause) ? cause.code : "ERR_PERMISSION", message ?? `${path} cannot be read`, {
      hint: `${wanted} that the user who runs this may read`,
      cause,
    });
  }
}
