import { systemClock } from "../../base/clock.ts";
import { bundleText, csvHeading, csvRow } from "../../log/bundle-text.ts";
import type { BundleHeader } from "../../wire/log-entry.ts";
import { type Admin, openAdmin } from "../admin.ts";
import { command } from "../command.ts";
import { fetchEntries, fetchHeader } from "../log-source.ts";
import { writeLines } from "../out-file.ts";
import { parseOneOf } from "../parse.ts";
import { say } from "../report.ts";
import { parseWhen } from "../when.ts";

export const auditExport = command(
  `
Export the audit log as a bundle that verifies by itself: keys, entries, machines' signed batches and a
signed checkpoint. Check it with qf audit verify, on any machine, without a server.

usage: qf audit export [--since TIME] [--until TIME] [--format jsonl|csv] [--out FILE]

options:
  --since TIME             begin with the first event from then on: a time, a date, or how long ago (2h, 7d)
  --until TIME             end with the last event before
  --format jsonl|csv       jsonl verifies; csv is for spreadsheets and does not (default: jsonl)
  --out FILE               write to FILE, readable by you only (default: standard output)
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)

A bundle of part of the log has every entry from the first to the last that fits, in between also those
that do not, and the hashes of what is on both sides.

examples:
  qf audit export --out audit.jsonl && qf audit verify audit.jsonl
  qf audit export --since 2026-11-01 --until 2026-12-01 --format csv --out november.csv
`,
  {
    args: {
      since: { type: "string" },
      until: { type: "string" },
      format: { type: "string", default: "jsonl" },
      out: { type: "string" },
      "management-url": { type: "string" },
    },
    async run({ args }) {
      const format = parseOneOf("format", args.format, ["jsonl", "csv"]);
      const span = { since: parseWhen("since", args.since), until: parseWhen("until", args.until) };
      const admin = await openAdmin(args);
      const startMs = systemClock.monotonicMs();
      const header = await fetchHeader(admin, span);
      const lines =
        format === "csv" ? csvText(admin, header) : bundleText(header, fetchEntries(admin, header));
      await writeLines(args.out, lines);
      const count = header.last - header.first + 1;
      const seconds = ((systemClock.monotonicMs() - startMs) / 1000).toFixed(1);
      if (args.out !== undefined) say("note", `exported ${count} entries in ${seconds} s`);
    },
  },
);

async function* csvText(admin: Admin, header: BundleHeader): AsyncGenerator<string> {
  yield csvHeading();
  for await (const page of fetchEntries(admin, header)) {
    for (const { line } of page) {
      const row = csvRow(line);
      if (row !== undefined) yield row;
    }
  }
}
