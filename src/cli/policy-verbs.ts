/**
 * The verbs of `qf policy`.
 *
 * @module
 */
import type { Noun } from "./noun.ts";

const policies = () => import("./commands/policy.ts");
const files = () => import("./commands/policy-file.ts");
const history = () => import("./commands/policy-history.ts");
const access = () => import("./commands/policy-access.ts");

/** `qf policy`: policies one by one, and as files. */
export const policyNoun: Noun = {
  about: `Who may log in to which machine, and as which OS user. Without a policy nobody may.`,
  verbs: {
    list: { purpose: "list policies", load: async () => (await policies()).policyList },
    create: { purpose: "create a policy with one rule", load: async () => (await policies()).policyCreate },
    update: {
      purpose: "change a policy or one of its rules",
      load: async () => (await import("./commands/policy-update.ts")).policyUpdate,
    },
    delete: { purpose: "delete a policy", load: async () => (await policies()).policyDelete },
    get: { purpose: "print all of it as a policy file", load: async () => (await files()).policyGet },
    test: { purpose: "run the tests of a policy file", load: async () => (await files()).policyTest },
    diff: { purpose: "show what a policy file would change", load: async () => (await files()).policyDiff },
    apply: { purpose: "apply a policy file", load: async () => (await files()).policyApply },
    history: {
      purpose: "list earlier states, who made them and what they changed",
      load: async () => (await history()).policyHistory,
    },
    restore: { purpose: "bring an earlier state back", load: async () => (await history()).policyRestore },
    explain: {
      purpose: "explain a decision, rule by rule",
      load: async () => (await access()).policyExplain,
    },
    who: { purpose: "list who may log in to a machine", load: async () => (await access()).policyWho },
    what: { purpose: "list where a user may log in", load: async () => (await access()).policyWhat },
    usage: {
      purpose: "list what each rule is used for, and which are not used",
      load: async () => (await import("./commands/policy-usage.ts")).policyUsage,
    },
    schema: {
      purpose: "print the JSON Schema of policy files",
      load: async () => (await files()).policySchema,
    },
  },
};
