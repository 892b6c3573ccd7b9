import { openAdmin } from "../admin.ts";
import { command } from "../command.ts";
import { fetchCheckpoint } from "../log-source.ts";
import { writeLines } from "../out-file.ts";
import { printJson } from "../output.ts";

export const auditCheckpoint = command(
  `
Print the newest checkpoint of the audit log: a signed note with its size and the root of its tree. Keep it
outside, and qf audit verify --checkpoint finds whatever was changed before it.

usage: qf audit checkpoint [--out FILE] [--json]

options:
  --out FILE               write to FILE, readable by you only (default: standard output)
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                   print {note, origin, size, root, made_at, keys} as JSON

The note is a C2SP tlog-checkpoint. keys has its verifier keys, as Go's sumdb/note takes them.

examples:
  qf audit checkpoint --out checkpoint-2026-11-30
  qf audit checkpoint --json
`,
  {
    args: { out: { type: "string" }, "management-url": { type: "string" }, json: { type: "boolean" } },
    async run({ args }) {
      const checkpoint = await fetchCheckpoint(await openAdmin(args));
      if (args.json === true) return printJson(checkpoint);
      await writeLines(args.out, linesOf(checkpoint.note));
    },
  },
);

async function* linesOf(note: string): AsyncGenerator<string> {
  yield note.replace(/\n$/, "");
}
