import { systemClock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { openAdmin } from "../admin.ts";
import { command } from "../command.ts";
import { writeLines } from "../out-file.ts";
import { castOf, findRecording } from "../recording-source.ts";
import { replay, shownOf } from "../replay.ts";
import { openScreen, writeBytes } from "../replay-screen.ts";
import { say } from "../report.ts";

/** Bounds of `--speed`. */
const SPEED_MAX = 1_000;
const SPEED_MIN = 0.01;
const IDLE_SECONDS_MAX = 86_400;

export const sessionReplay = command(
  `
Play the recording of a session on this terminal, as it was. Press q or Ctrl-C to stop. Only text, colours and
cursor movements reach the terminal. If standard output is no terminal, what was shown is written at once.

usage: qf session replay ID [--speed N] [--idle-limit SECONDS] [--identity FILE]
       qf session replay ID --export FILE [--identity FILE]
       qf session replay ID --raw [--identity FILE] > FILE

options:
  --speed N                play N times as fast (default: 1)
  --idle-limit SECONDS     wait at most so long where nothing happens (default: 2)
  --export FILE            write the recording to FILE as asciicast v2, for asciinema and other players
  --identity FILE          age identity file, for a recording that is encrypted; it stays on this machine
  --raw                    write exactly the bytes that were shown; not to a terminal
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)

ID is a recording, as the API lists them, or a session with one recording. That you read it is recorded in the
audit log.

examples:
  qf session replay d34hgk3f9s8d7f6g5h4j --speed 4
  qf session replay d34hgk3f9s8d7f6g5h4j --export session.cast --identity key.txt
`,
  {
    args: {
      id: { type: "positional", required: true },
      speed: { type: "string", default: "1" },
      "idle-limit": { type: "string", default: "2" },
      export: { type: "string" },
      identity: { type: "string" },
      raw: { type: "boolean" },
      "management-url": { type: "string" },
    },
    async run({ args }) {
      const speed = parseDecimal("speed", args.speed, { min: SPEED_MIN, max: SPEED_MAX });
      const idleLimit = parseDecimal("idle-limit", args["idle-limit"], { min: 0, max: IDLE_SECONDS_MAX });
      const isTerminal = process.stdout.isTTY === true;
      if (args.raw === true && isTerminal) {
        throw new QfError("ERR_USAGE", "--raw does not write to a terminal", {
          hint: "a recording may hold what would drive it; send the output to a file",
        });
      }
      const admin = await openAdmin(args);
      const recording = await findRecording(admin, args.id);
      const pieces = castOf(admin, recording, args.identity);
      if (args.export !== undefined) {
        await writeLines(args.export, linesOf(pieces));
        return;
      }
      if (isTerminal) await play(pieces, { speed, idleLimit });
      else for await (const bytes of shownOf(pieces, { isRaw: args.raw === true })) await writeBytes(bytes);
      if (recording.status !== "complete") say("note", statusNote(recording.status, recording.why));
    },
  },
);

function statusNote(status: "running" | "cut", why: string | null): string {
  if (status === "running") return "the session goes on; this is what there is so far";
  return `the recording is not whole: ${why ?? "it was cut"}`;
}

async function play(
  pieces: AsyncIterable<string>,
  pace: { readonly speed: number; readonly idleLimit: number },
): Promise<void> {
  const { screen, close } = openScreen();
  try {
    await replay(pieces, pace, { screen, clock: systemClock });
  } finally {
    close();
  }
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) {
    for (const line of piece.split("\n")) if (line !== "") yield line;
  }
}

function parseDecimal(
  flag: string,
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new QfError("ERR_USAGE", `--${flag} must be a number from ${min} to ${max}`);
}
