/**
 * The verbs of `qf rollout`.
 *
 * @module
 */
import type { Noun } from "./noun.ts";

const rollouts = () => import("./commands/rollout.ts");

export const rolloutNoun: Noun = {
  about: `A release that machines are moved to in stages, where their root allows it.`,
  verbs: {
    start: {
      purpose: "move machines to a release, stage by stage",
      load: async () => (await rollouts()).rolloutStart,
    },
    list: {
      purpose: "list rollouts, and how far each has come",
      load: async () => (await rollouts()).rolloutList,
    },
    show: { purpose: "show what became of each machine", load: async () => (await rollouts()).rolloutShow },
    halt: { purpose: "tell no further machine", load: async () => (await rollouts()).rolloutHalt },
    resume: {
      purpose: "go on, with those that failed too",
      load: async () => (await rollouts()).rolloutResume,
    },
    cancel: { purpose: "end a rollout", load: async () => (await rollouts()).rolloutCancel },
  },
};
