/**
 * The store of recordings: a folder or an S3 bucket. Objects are written once, read whole, and deleted.
 *
 * @module
 */
import { close, constants, open, write } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { S3Client } from "bun";
import { QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";

export interface RecordingStore {
  /** Resolves once the object would survive a crash. Throws ERR_UNAVAILABLE. */
  put(object: string, bytes: Uint8Array): Promise<void>;
  /** Throws ERR_UNAVAILABLE when the object is missing or cannot be read. */
  get(object: string): Promise<Uint8Array>;
  /** A missing object counts as deleted. Throws ERR_UNAVAILABLE. */
  remove(object: string): Promise<void>;
}

/** The options of `serve` for the store of recordings. */
export interface RecordingStoreOptions {
  /** `DIR` or `s3://BUCKET/PREFIX`. */
  readonly where: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** In the format of ~/.aws/credentials. */
  readonly credentialsFile?: string | undefined;
}

/** A new file whose writes wait for the disk, which saves a separate fsync. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DSYNC;
const CREDENTIALS_BYTES_MAX = 65_536;
/** Used when no region is given, since requests must name one. */
const REGION_DEFAULT = "us-east-1";

/** Throws ERR_USAGE for invalid options, ERR_PERMISSION for a file that cannot be read. */
export async function openRecordingStore(options: RecordingStoreOptions): Promise<RecordingStore> {
  const { where, endpoint, region, credentialsFile } = options;
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})(?:\/(.*))?$/.exec(where);
  if (match !== null) {
    const prefix = (match[2] ?? "").replace(/\/+$/, "");
    const client = new S3Client({
      bucket: match[1] ?? "",
      region: region ?? REGION_DEFAULT,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(await readCredentials(credentialsFile)),
    });
    return createBucketStore(client, prefix === "" ? "" : `${prefix}/`);
  }
  if (where.includes("://")) {
    throw new QfError("ERR_USAGE", "--recordings is neither a folder nor s3://BUCKET/PREFIX");
  }
  if (endpoint !== undefined || region !== undefined || credentialsFile !== undefined) {
    throw new QfError("ERR_USAGE", "--recordings-endpoint, -region and -credentials-file are for s3://");
  }
  return createFolderStore(where);
}

/** Stores objects as files below `directory`, which is created when needed. */
export function createFolderStore(directory: string): RecordingStore {
  const pathOf = (object: string): string => join(directory, object);
  return {
    put: (object, bytes) => orUnavailable(() => writeObject(pathOf(object), bytes)),
    get: (object) => orUnavailable(() => readFile(pathOf(object))),
    remove: (object) =>
      orUnavailable(async () => {
        const path = pathOf(object);
        await rm(path, { force: true });
        // Remove the recording's own folder once it is empty.
        const folder = dirname(path);
        const rest = await readdir(folder).catch(() => ["?"]);
        if (rest.length === 0) await rmdir(folder).catch(() => {});
      }),
  };
}

function createBucketStore(client: S3Client, prefix: string): RecordingStore {
  return {
    put: (object, bytes) =>
      orUnavailable(async () => {
        await client.write(prefix + object, bytes, { type: "application/octet-stream" });
      }),
    get: (object) => orUnavailable(async () => new Uint8Array(await client.file(prefix + object).bytes())),
    remove: (object) => orUnavailable(() => client.delete(prefix + object)),
  };
}

/**
 * Writes in place: nothing reads an object before its `put` has resolved, so a partial one left by a crash
 * does no harm.
 */
async function writeObject(path: string, bytes: Uint8Array): Promise<void> {
  const fd = await openNew(path);
  try {
    for (let at = 0; at < bytes.length; ) at += await writeSome(fd, bytes.subarray(at));
  } catch (cause) {
    await rm(path, { force: true });
    throw cause;
  } finally {
    await closeFile(fd);
  }
}

// Descriptors cost less than file handles, and a busy machine stores a hundred objects a second.
const openFile = promisify<string, number, number, number>(open);
const closeFile = promisify(close);

/** How many bytes were written. */
function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, (cause, count) => (cause === null ? resolve(count) : reject(cause)));
  });
}

/** Opens first and creates the folder only on failure: it exists for all objects but a recording's first. */
async function openNew(path: string): Promise<number> {
  try {
    return await openFile(path, NEW_FILE, 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return await openFile(path, NEW_FILE, 0o600);
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new QfError("ERR_UNAVAILABLE", "the store of recordings cannot be used now", { cause });
  }
}

/** Reads the credentials file. Without one, they come from the environment. */
async function readCredentials(
  path: string | undefined,
): Promise<{ accessKeyId?: string; secretAccessKey?: string; sessionToken?: string }> {
  if (path === undefined) return {};
  let text: string;
  try {
    text = await readSmallFile(path, CREDENTIALS_BYTES_MAX);
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `the file ${path} cannot be read`, { cause });
  }
  const settingOf = (name: string): string | undefined =>
    new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)\\s*$`, "m").exec(text)?.[1];
  const accessKeyId = settingOf("aws_access_key_id");
  const secretAccessKey = settingOf("aws_secret_access_key");
  const sessionToken = settingOf("aws_session_token");
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new QfError("ERR_USAGE", `the file ${path} has no credentials`, {
      hint: "it needs the lines aws_access_key_id = … and aws_secret_access_key = …",
    });
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
