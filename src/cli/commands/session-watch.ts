import { printable } from "../../base/printable.ts";
import { ScreenFilter } from "../../recording/screen-filter.ts";
import type { Recording, RecordingPage } from "../../wire/recording.ts";
import { type Admin, openAdmin } from "../admin.ts";
import { command } from "../command.ts";
import { castOf, findRunning, pagesOf } from "../recording-source.ts";
import { type Screen, shownOf } from "../replay.ts";
import { openScreen, writeBytes } from "../replay-screen.ts";
import { say } from "../report.ts";
import { watchedPages } from "../watched-pages.ts";

/** Interval of polling management when no WebSocket reaches it. */
const LOOK_MS = 500;

export const sessionWatch = command(
  `
Follow the screen of a recorded session as it goes on, a second or so behind. It begins with what was shown so
far. Press q or Ctrl-C to stop; the session goes on. Nothing that you type reaches it, and only text, colours
and cursor movements reach your terminal.

usage: qf session watch ID [--identity FILE] [--management-url URL]

options:
  --identity FILE          age identity file, for a recording that is encrypted; it stays on this machine
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)

ID is what qf session list shows, or a recording. That you watch is recorded in the audit log, and people are
told at the start of a recorded session that it may be watched.

examples:
  qf session watch d34hgk3f9s8d7f6g5h4j
  qf session watch d34hgk3f9s8d7f6g5h4j --identity key.txt
`,
  {
    args: {
      id: { type: "positional", required: true },
      identity: { type: "string" },
      "management-url": { type: "string" },
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const recording = await findRunning(admin, args.id);
      const { screen, close } = openScreen();
      try {
        say("note", printable(`watching ${recording.local_user} on ${recording.machine}; q stops`));
        const pieces = castOf(admin, recording, args.identity, followed(admin, recording, screen));
        for await (const bytes of shownOf(pieces, { isRaw: false })) {
          if (screen.isOver) break;
          await writeBytes(bytes);
        }
        if (process.stdout.isTTY === true) await screen.write(ScreenFilter.restore());
      } finally {
        close();
      }
      say("note", screen.isOver ? "stopped; the session goes on" : "its recording is over");
    },
  },
);

async function* followed(admin: Admin, recording: Recording, screen: Screen): AsyncGenerator<RecordingPage> {
  for await (const page of watchedPages(admin, recording.id, screen)) {
    if (page !== null) yield page;
    else
      yield* pagesOf(admin, recording, async () => {
        await screen.wait(LOOK_MS);
        return !screen.isOver;
      });
  }
}
