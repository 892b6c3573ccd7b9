/**
 * The verbs of `qf access`.
 *
 * @module
 */
import type { Noun } from "./noun.ts";

const requests = () => import("./commands/access.ts");

export const accessNoun: Noun = {
  about: `Requests for access: an approval at a machine, or a group for a while.`,
  verbs: {
    request: {
      purpose: "ask for an approval at a machine, or for a group",
      load: async () => (await requests()).accessRequest,
    },
    list: { purpose: "list requests", load: async () => (await requests()).accessList },
    groups: {
      purpose: "list groups that you may ask for",
      load: async () => (await requests()).accessGroups,
    },
    approve: { purpose: "approve a request", load: async () => (await requests()).accessApprove },
    deny: { purpose: "deny a request", load: async () => (await requests()).accessDeny },
    end: {
      purpose: "take a request back, or end what was approved",
      load: async () => (await requests()).accessEnd,
    },
  },
};
