import { QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";
import { printable } from "../../base/printable.ts";
import { pinnedLog } from "../../client/pinned-logs.ts";
import { bundleText } from "../../log/bundle-text.ts";
import { NOTE_BYTES_MAX, type NoteKey, parseVerifierKey } from "../../log/checkpoint.ts";
import type { LogFinding } from "../../log/finding.ts";
import type { Anchors } from "../../log/trust.ts";
import { BUNDLE_LINE_BYTES_MAX, type BundleReport, BundleVerifier } from "../../log/verify-bundle.ts";
import { openAdmin } from "../admin.ts";
import { fileLines } from "../bundle-file.ts";
import { command } from "../command.ts";
import { fetchEntries, fetchHeader } from "../log-source.ts";
import { print, printJson } from "../output.ts";
import { parseRepeated } from "../parse.ts";
import { say } from "../report.ts";

/** The bundle is consistent, but only its own keys vouch for it. */
const EXIT_UNANCHORED = 3;

export const auditVerify = command(
  `
Verify the audit log: offline, from an exported bundle, or as management gives it out. Every entry that was
changed, removed, added or moved is found, and a log that was forked or cut back since a checkpoint.

usage: qf audit verify [FILE] [--checkpoint OLD]... [--key KEY]... [--json]

options:
  --checkpoint OLD         a file with a checkpoint that was kept outside; may be given more than once
  --key KEY                the log's verifier key, or a file with it; may be given more than once
  --management-url URL     without FILE: management server (default: QF_MANAGEMENT_URL, your config)
  --json                   print findings and figures as JSON

Without --key, the key counts that this device or this machine's agent has pinned. Exit status: 0 if all of
it agrees; 1 if anything was found; 3 if nothing but the bundle's own keys speaks for it.

examples:
  qf audit verify audit.jsonl --checkpoint checkpoint-2026-11-30
  qf audit verify
`,
  {
    args: {
      file: { type: "positional", required: false },
      checkpoint: { type: "string" },
      key: { type: "string" },
      "management-url": { type: "string" },
      json: { type: "boolean" },
    },
    async run({ args }) {
      const given = await Promise.all(parseRepeated(args.key).map(readKey));
      const checkpoints = await Promise.all(parseRepeated(args.checkpoint).map(readCheckpoint));
      const isLive = args.file === undefined;
      const lines = args.file === undefined ? await serverLines(args) : bundleLines(args.file);
      const report = await verify(lines, { given, checkpoints, isLive });
      if (args.json === true) await printJson(report);
      else await printReport(report);
      if (report.findings.length > 0) return 1;
      return report.isAnchored ? 0 : EXIT_UNANCHORED;
    },
  },
  { repeatable: ["checkpoint", "key"] },
);

interface Given {
  readonly given: readonly NoteKey[];
  readonly checkpoints: readonly string[];
  /** Whether the log comes from management now. An export may be older than what this device has seen. */
  readonly isLive: boolean;
}

/** A pinned key counts only for the log with its origin, so that other logs can be verified here too. */
async function anchorsOf(header: string, { given, checkpoints, isLive }: Given): Promise<Anchors> {
  const pinned = await pinnedLog(process.env, originIn(header));
  return {
    keys: given.length > 0 ? given : pinned.keys,
    checkpoints: isLive && given.length === 0 ? [...checkpoints, ...pinned.checkpoints] : checkpoints,
  };
}

async function verify(lines: AsyncIterable<string>, given: Given): Promise<BundleReport> {
  let verifier: BundleVerifier | undefined;
  try {
    for await (const line of lines) {
      verifier ??= new BundleVerifier(await anchorsOf(line, given));
      verifier.line(line);
    }
  } catch (error) {
    if (!(error instanceof QfError) || error.code !== "ERR_TOO_LARGE") throw error;
    const report = (verifier ?? new BundleVerifier({ keys: [], checkpoints: [] })).end();
    const finding: LogFinding = { code: "bundle_unreadable", seq: null, sentence: error.message };
    return { ...report, findings: [finding, ...report.findings] };
  }
  return (verifier ?? new BundleVerifier({ keys: [], checkpoints: [] })).end();
}

/** The origin that a bundle's first line claims. The key of that origin must have signed it. */
function originIn(line: string): string {
  return /"origin":"([^"\\]{1,512})"/.exec(line)?.[1] ?? "";
}

async function* bundleLines(path: string): AsyncGenerator<string> {
  yield* fileLines(path, BUNDLE_LINE_BYTES_MAX);
}

async function serverLines(args: {
  readonly "management-url"?: string | undefined;
}): Promise<AsyncIterable<string>> {
  const admin = await openAdmin(args);
  const header = await fetchHeader(admin, {});
  return bundleText(header, fetchEntries(admin, header));
}

async function readKey(text: string): Promise<NoteKey> {
  const content = text.includes("+") ? text : await readSmallFile(text, NOTE_BYTES_MAX).catch(() => "");
  const key = parseVerifierKey(content.trim());
  if (key !== undefined) return key;
  throw new QfError("ERR_USAGE", "--key must be a verifier key of a log, or a file with one", {
    hint: "qf audit checkpoint --json shows it",
  });
}

function readCheckpoint(path: string): Promise<string> {
  return readSmallFile(path, NOTE_BYTES_MAX).catch((cause: unknown) => {
    throw new QfError("ERR_NOT_FOUND", `the checkpoint ${path} cannot be read`, { cause });
  });
}

async function printReport(report: BundleReport): Promise<void> {
  for (const { seq, sentence } of report.findings) {
    await print(`${printable(seq === null ? sentence : `entry ${seq}: ${sentence}`)}\n`);
  }
  if (report.more > 0) await print(`and ${report.more} more\n`);
  const { entries, pruned, size, batches } = report;
  const bodies = pruned === 0 ? `${entries} entries` : `${entries} entries, ${pruned} by their hashes only`;
  const signed = `${batches.proven} signed batches of machines`;
  if (report.findings.length > 0) return await print(`not verified: ${bodies} of ${size}\n`);
  await print(`verified: ${bodies} of ${size}, ${signed}, ${printable(report.origin ?? "")}\n`);
  if (!report.isAnchored) {
    say("warning", "unanchored: nothing but the bundle's own keys speaks for it");
    say("hint", "give --checkpoint with a note that was kept outside, or --key");
  }
}
