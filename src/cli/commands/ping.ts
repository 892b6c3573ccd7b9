import { printable } from "../../base/printable.ts";
import type { PingReport } from "../../wire/ping.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { parseUrl, parseWhole } from "../parse.ts";
import { reportError, say } from "../report.ts";

const EXIT_USAGE = 2;

export const ping = command(
  `
Show how a peer can be reached: the path and why, round-trip times, clock, agent and SSH. Needs no
sign-in: it uses the key of this device, which qf login registered.

usage: qf ping [-c COUNT] [-v] [--json] [--timeout SECONDS] PEER

options:
  -c, --count COUNT     pings to send, 1 to 100 (default: 5)
  -v, --verbose         also show which paths are tried
  --timeout SECONDS     longest wait for a path (default: 10)
  --management-url URL  management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                print everything as JSON

PEER is a name, an overlay address or an id. Exit status: 0 if it answers, otherwise 1.

examples:
  qf ping web1
  qf ping -c 20 --json web1.qf.internal
`,
  {
    args: {
      peer: { type: "positional", required: true },
      count: { type: "string", alias: "c", default: "5" },
      verbose: { type: "boolean", alias: "v" },
      timeout: { type: "string", default: "10" },
      "management-url": { type: "string" },
      json: { type: "boolean" },
    },
    async run({ args }) {
      const url = args["management-url"];
      const isJson = args.json === true;
      const asked = {
        peer: args.peer,
        count: parseWhole("count", args.count, { min: 1, max: 100, unit: "questions" }),
        timeoutMs: parseWhole("timeout", args.timeout, { min: 1, max: 300, unit: "seconds" }) * 1000,
        managementUrl: url === undefined ? undefined : parseUrl("management-url", url),
        trace: (line: string) => {
          if (args.verbose === true) say("debug", line);
        },
        warn: (line: string) => say("warning", line),
        onAnswer: (line: string) => {
          if (!isJson) process.stdout.write(`${printable(line)}\n`);
        },
      };
      const { ping: ask, pingText } = await import("../../ssh/ping.ts");
      let report: PingReport;
      try {
        report = await ask(asked);
      } catch (error) {
        // 255 means "no session", and a ping does not ask for one.
        return reportError(error) === EXIT_USAGE ? EXIT_USAGE : 1;
      }
      if (isJson) await printJson(report);
      else await print(pingText(report));
      const { error } = report;
      if (error === null) return 0;
      if (!isJson) {
        say("error", error.message);
        if (error.hint !== undefined) say("hint", error.hint);
      }
      return 1;
    },
  },
);
