/**
 * The verbs of `qf session`.
 *
 * @module
 */
import type { Noun } from "./noun.ts";

const sessions = () => import("./commands/session.ts");

export const sessionNoun: Noun = {
  about: `SSH sessions: who is on which machine, what happened there, and ending one.`,
  verbs: {
    list: { purpose: "list live sessions", load: async () => (await sessions()).sessionList },
    show: {
      purpose: "show a session with all that happened in it",
      load: async () => (await sessions()).sessionShow,
    },
    kill: {
      purpose: "end a live session, with a reason that the person reads",
      load: async () => (await sessions()).sessionKill,
    },
    history: {
      purpose: "list sessions that have ended",
      load: async () => (await sessions()).sessionHistory,
    },
    watch: {
      purpose: "follow the screen of a recorded session",
      load: async () => (await import("./commands/session-watch.ts")).sessionWatch,
    },
    replay: {
      purpose: "play the recording of a session",
      load: async () => (await import("./commands/session-replay.ts")).sessionReplay,
    },
  },
};
