import { nowSeconds, systemClock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { timeText } from "../../base/moment.ts";
import { printable } from "../../base/printable.ts";
import { openClientFolder } from "../../client/client-folder.ts";
import {
  clearKeptReason,
  KEPT_REASON_SECONDS_MAX,
  keepReason,
  readKeptReason,
} from "../../client/kept-reason.ts";
import { parseReason } from "../../wire/access-reason.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";

export const reasonSet = command(
  `
Store a reason for your next connections. ssh, scp, git and other programs send it if a policy requires one.

usage: qf reason set [--for TIME] TEXT

options:
  --for TIME  how long to use it, such as 30m, 1h or 90s, at most 24h (default: 1h)

TEXT is one printable line of 3 to 256 characters. It is stored in the audit log of each access.

examples:
  qf reason set --for 1h "OPS-142: disk is full"
  qf reason set "weekly patches"
`,
  {
    args: {
      text: { type: "positional", required: true },
      for: { type: "string", default: "1h" },
    },
    async run({ args }) {
      const reason = parseReason("a reason", args.text);
      const untilSeconds = nowSeconds(systemClock) + parseTime(args.for);
      const { path } = await openClientFolder(process.env);
      await keepReason(path, { reason, untilSeconds });
      await print(`Given as the reason until ${timeText(untilSeconds)}: ${printable(reason)}\n`);
    },
  },
);

export const reasonShow = command(
  `
Show the stored reason, and until when it is used.

usage: qf reason show [--json]

options:
  --json  print {reason, untilSeconds} as JSON; both are null if none is stored

examples:
  qf reason show
  qf reason show --json
`,
  {
    args: { json: { type: "boolean" } },
    async run({ args }) {
      const { path } = await openClientFolder(process.env);
      const kept = await readKeptReason(path, nowSeconds(systemClock));
      if (args.json === true) return printJson(kept ?? { reason: null, untilSeconds: null });
      if (kept === undefined) return print("No reason is kept.\n");
      await print(`${printable(kept.reason)}\nuntil ${timeText(kept.untilSeconds)}\n`);
    },
  },
);

export const reasonClear = command(
  `
Delete the stored reason.

usage: qf reason clear

examples:
  qf reason clear
  qf reason clear && qf reason show
`,
  {
    args: {},
    async run() {
      const { path } = await openClientFolder(process.env);
      await clearKeptReason(path);
      await print("No reason is kept.\n");
    },
  },
);

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** Parses `90s`, `30m` or `1h`, from a second to a day. Throws ERR_USAGE. */
export function parseTime(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS_OF[unit] ?? 0);
  if (seconds >= 1 && seconds <= KEPT_REASON_SECONDS_MAX) return seconds;
  throw new QfError("ERR_USAGE", "--for must be a time from 1s to 24h, such as 30m or 1h");
}
