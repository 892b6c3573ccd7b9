/**
 * Both ways to try an SFTP server: OpenSSH's client in front of it, and packets by hand.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Request } from "../../src/agent/sftp/protocol.ts";
import { SshReader, SshWriter } from "../../src/base/ssh-buffer.ts";

/** Debian's, to compare with. */
export const OPENSSH_SERVER = "/usr/lib/openssh/sftp-server";
const OUR_SERVER = [process.execPath, fileURLToPath(new URL("sftp-main.ts", import.meta.url))];
const WAIT_MS = 20_000;
/** `nobody`, where the test has the right to be somebody else. */
export const NOBODY = 65_534;

/** What `sftp -D` takes for our server. */
export function ourServerCommand(...argv: string[]): string {
  return [...OUR_SERVER, ...argv].join(" ");
}

/** Runs a batch through OpenSSH's sftp(1) in `folder`. A `-` before a command lets the batch go on. */
export async function runBatch(options: { server: string; folder: string; batch: readonly string[] }) {
  const { server, folder, batch } = options;
  const child = Bun.spawn(["sftp", "-q", "-D", server, "-b", "-"], {
    cwd: folder,
    stdin: Buffer.from(`${batch.join("\n")}\n`),
    stdout: "pipe",
    stderr: "pipe",
    timeout: WAIT_MS,
    env: { PATH: process.env.PATH ?? "", TZ: "Europe/Berlin" },
  });
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, status };
}

export interface RawReply {
  readonly type: number;
  readonly id: number;
  /** After the id. */
  readonly fields: SshReader;
}

/** A packet with its length before it. */
export function framed(body: Uint8Array): Buffer {
  return new SshWriter().string(body).toBuffer();
}

export interface RawSftpOptions {
  /** OpenSSH's instead of ours. */
  readonly openssh?: boolean;
  readonly folder: string;
  readonly readOnly?: boolean;
  readonly journal?: string;
  /** Runs as this user; needs root. */
  readonly uid?: number;
}

/** Our server, spoken to in packets. */
export class RawSftp {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #held = Buffer.alloc(0);
  #id = 0;

  constructor({ openssh, folder, readOnly, journal, uid }: RawSftpOptions) {
    const argv = [...(readOnly === true ? ["-R"] : []), ...(journal === undefined ? [] : ["-l", journal])];
    this.#child = Bun.spawn([...(openssh === true ? [OPENSSH_SERVER] : OUR_SERVER), ...argv], {
      cwd: folder,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      env: { TZ: "America/New_York" },
      timeout: WAIT_MS,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.#reader = this.#child.stdout.getReader();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Bytes as they are. */
  send(bytes: Uint8Array): void {
    this.#child.stdin.write(bytes);
    this.#child.stdin.flush();
  }

  /** INIT; what VERSION announces. */
  async greet(): Promise<Map<string, string>> {
    this.send(framed(new SshWriter().uint8(Request.init).uint32(3).toBuffer()));
    const reader = new SshReader(await this.#packet());
    reader.raw(5);
    const extensions = new Map<string, string>();
    while (!reader.isAtEnd) extensions.set(reader.text(256), reader.text(256));
    return extensions;
  }

  /** One request, and its reply. `fields` is what follows the id. */
  async call(type: number, fields: SshWriter): Promise<RawReply> {
    const id = ++this.#id;
    this.send(framed(new SshWriter().uint8(type).uint32(id).raw(fields.toBuffer()).toBuffer()));
    return this.reply();
  }

  /** The status of a request that is answered with one. */
  async status(type: number, fields: SshWriter): Promise<number> {
    const reply = await this.call(type, fields);
    return reply.type === 101 ? reply.fields.uint32() : -1;
  }

  async reply(): Promise<RawReply> {
    const fields = new SshReader(await this.#packet());
    return { type: fields.uint8(), id: fields.uint32(), fields };
  }

  /** Opens a file; its handle. Throws the status when it is refused. */
  async open(path: string, flags: number): Promise<Buffer> {
    const reply = await this.call(Request.open, words(path).uint32(flags).uint32(0));
    if (reply.type !== 102) throw new Error(`status ${reply.fields.uint32()}`);
    return reply.fields.string(256);
  }

  /** Ends the client's side and waits for the server to go. */
  async end(): Promise<{ status: number; stderr: string; maxRssBytes: number }> {
    let maxRssBytes = this.#peakBytes();
    this.#child.stdin.end();
    while (!(await this.#reader.read()).done) maxRssBytes = Math.max(maxRssBytes, this.#peakBytes());
    const stderr = await new Response(this.#child.stderr).text();
    const status = await this.#child.exited;
    return { status, stderr, maxRssBytes };
  }

  /**
   * The server's own high-water mark; what wait4(2) tells begins with that of the process it was forked from.
   */
  #peakBytes(): number {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }

  /** Reads no more; then waits for the server to notice. */
  async leave(): Promise<{ status: number; stderr: string }> {
    await this.#reader.cancel();
    this.#child.stdin.end();
    const stderr = await new Response(this.#child.stderr).text();
    return { status: await this.#child.exited, stderr };
  }

  async #packet(): Promise<Buffer> {
    while (this.#held.length < 4 || this.#held.length < 4 + this.#held.readUInt32BE(0)) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the server has gone");
      this.#held = Buffer.concat([this.#held, value]);
    }
    const length = this.#held.readUInt32BE(0);
    const packet = this.#held.subarray(4, 4 + length);
    this.#held = this.#held.subarray(4 + length);
    return packet;
  }
}

/** A server that has been greeted. */
export async function serveSftp(options: RawSftpOptions): Promise<RawSftp> {
  const sftp = new RawSftp(options);
  await sftp.greet();
  return sftp;
}

/** Strings, one after another: paths mostly. */
export function words(...texts: (string | Uint8Array)[]): SshWriter {
  const writer = new SshWriter();
  for (const text of texts) writer.string(Buffer.from(text as string));
  return writer;
}
