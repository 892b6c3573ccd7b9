/**
 * What really goes over the wire at one TCP port of loopback, as tcpdump(8) sees it: each segment with its
 * flags and its payload.
 */
import { until } from "./until.ts";

const ETHERNET_BYTES = 14;
const PCAP_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

export interface Segment {
  /** Whether it comes from the port that is watched. */
  readonly isFromServer: boolean;
  /** The port at the other end: tells connections apart. */
  readonly clientPort: number;
  /** Of TCP: S, A, F, R, P. */
  readonly flags: string;
  readonly payload: Buffer;
}

export interface Capture extends AsyncDisposable {
  /** Segments so far, in order. */
  segments(): Segment[];
}

/** Whether this machine can capture at all. */
export function hasCapture(): boolean {
  return process.getuid?.() === 0 && Bun.which("tcpdump") !== null;
}

/** Begins to capture TCP `port` on loopback; resolves once nothing is missed any more. */
export async function startCapture(port: number): Promise<Capture> {
  const args = ["tcpdump", "-i", "lo", "-nn", "-s", "0", "-U", "--immediate-mode", "-w", "-"];
  const child = Bun.spawn([...args, `tcp port ${port}`], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const chunks: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of child.stdout) chunks.push(Buffer.from(chunk));
  })();
  // Read to its end: a pipe that nobody reads would end tcpdump.
  let said = "";
  const listening = (async () => {
    for await (const chunk of child.stderr) said += Buffer.from(chunk).toString();
  })();
  const isListening = () => said.includes("listening on") || child.exitCode !== null;
  await until("tcpdump", isListening);
  if (child.exitCode !== null) throw new Error(`tcpdump does not listen: ${said}`);
  return {
    segments: () => parseCapture(Buffer.concat(chunks), port),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
      await Promise.all([reading, listening]);
    },
  };
}

function parseCapture(file: Buffer, port: number): Segment[] {
  const found: Segment[] = [];
  for (let at = PCAP_HEADER_BYTES; at + RECORD_HEADER_BYTES <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const packet = file.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    at += RECORD_HEADER_BYTES + length;
    if (packet.length < length) break;
    found.push(parseSegment(packet.subarray(ETHERNET_BYTES), port));
  }
  return found;
}

/** One IP packet with TCP in it; IPv6 without extension headers, as loopback has them. */
function parseSegment(packet: Buffer, port: number): Segment {
  const isIpv6 = packet.readUInt8(0) >> 4 === 6;
  const headerBytes = isIpv6 ? 40 : (packet.readUInt8(0) & 0x0f) * 4;
  const totalBytes = isIpv6 ? 40 + packet.readUInt16BE(4) : packet.readUInt16BE(2);
  const tcp = packet.subarray(headerBytes, totalBytes);
  const source = tcp.readUInt16BE(0);
  const isFromServer = source === port;
  const bits = tcp.readUInt8(13);
  const names = ["F", "S", "R", "P", "A"];
  return {
    isFromServer,
    clientPort: isFromServer ? tcp.readUInt16BE(2) : source,
    flags: names.filter((_, bit) => (bits & (1 << bit)) !== 0).join(""),
    payload: tcp.subarray((tcp.readUInt8(12) >> 4) * 4),
  };
}
