/**
 * The verbs of `qf audit`, `qf audit-stream`, `qf notification` and `qf selftest`.
 *
 * @module
 */
import type { Noun } from "./noun.ts";

/** The nouns around the audit log. */
export const auditNouns: Readonly<Record<string, Noun>> = {
  audit: {
    about: `The audit log: sign-ins, decisions with their rules, sessions, commands and changes.`,
    verbs: {
      tail: {
        purpose: "show recent events; --follow keeps showing new ones",
        load: async () => (await import("./commands/audit-tail.ts")).auditTail,
      },
      list: {
        purpose: "find events by person, machine, activity and time",
        load: async () => (await import("./commands/audit-list.ts")).auditList,
      },
      export: {
        purpose: "write the log as a bundle that verifies by itself",
        load: async () => (await import("./commands/audit-export.ts")).auditExport,
      },
      checkpoint: {
        purpose: "print the signed checkpoint, to be kept outside",
        load: async () => (await import("./commands/audit-checkpoint.ts")).auditCheckpoint,
      },
      acknowledge: {
        purpose: "acknowledge what the log lost when a backup was put back",
        load: async () => (await import("./commands/audit-acknowledge.ts")).auditAcknowledge,
      },
      verify: {
        purpose: "find whatever was changed, removed, moved or forked",
        load: async () => (await import("./commands/audit-verify.ts")).auditVerify,
      },
    },
  },
  selftest: {
    about: `Attacks on your own set-up, to see that they are refused.`,
    verbs: {
      attack: {
        purpose: "attack management and machines, and report what held",
        load: async () => (await import("./commands/selftest-attack.ts")).selftestAttack,
      },
    },
  },
  "audit-stream": {
    about: `Streams that pass every entry of the audit log on: to a webhook or a syslog server.`,
    verbs: {
      list: {
        purpose: "list streams, and how far each has come",
        load: async () => (await import("./commands/audit-stream.ts")).auditStreamList,
      },
      create: {
        purpose: "create a stream",
        load: async () => (await import("./commands/audit-stream.ts")).auditStreamCreate,
      },
      update: {
        purpose: "change, stop or move a stream",
        load: async () => (await import("./commands/audit-stream.ts")).auditStreamUpdate,
      },
      delete: {
        purpose: "delete a stream",
        load: async () => (await import("./commands/audit-stream.ts")).auditStreamDelete,
      },
      test: {
        purpose: "send a test to a stream's address",
        load: async () => (await import("./commands/audit-stream.ts")).auditStreamTest,
      },
    },
  },
  notification: {
    about: `Channels on which people are told of what happens: webhooks, Slack and mail.`,
    verbs: {
      list: {
        purpose: "list channels",
        load: async () => (await import("./commands/notification.ts")).notificationList,
      },
      create: {
        purpose: "create a channel",
        load: async () => (await import("./commands/notification.ts")).notificationCreate,
      },
      update: {
        purpose: "change, stop or move a channel",
        load: async () => (await import("./commands/notification.ts")).notificationUpdate,
      },
      delete: {
        purpose: "delete a channel",
        load: async () => (await import("./commands/notification.ts")).notificationDelete,
      },
      test: {
        purpose: "send a test on a channel",
        load: async () => (await import("./commands/notification.ts")).notificationTest,
      },
    },
  },
};
