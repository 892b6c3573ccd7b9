/**
 * The list of all commands: nouns and verbs, their purposes, and the modules that implement them.
 *
 * A command's module, and with it its role, is loaded only when the command runs.
 *
 * @module
 */

import { accessNoun } from "./access-verbs.ts";
import { auditNouns } from "./audit-verbs.ts";
import type { Noun, Verb } from "./noun.ts";
import { policyNoun } from "./policy-verbs.ts";
import { rolloutNoun } from "./rollout-verbs.ts";
import { sessionNoun } from "./session-verbs.ts";

const users = () => import("./commands/user.ts");
const passwords = () => import("./commands/user-password.ts");
const setupKeys = () => import("./commands/setup-key.ts");
const tokens = () => import("./commands/token.ts");
const groups = () => import("./commands/group.ts");
const peers = () => import("./commands/peer.ts");

/** Commands of one word. */
export const SINGLE: Readonly<Record<string, Verb>> = {
  login: {
    purpose: "sign in on this device and register it",
    load: async () => (await import("./commands/login.ts")).login,
  },
  logout: {
    purpose: "sign out and delete the stored login",
    load: async () => (await import("./commands/logout.ts")).logout,
  },
  whoami: {
    purpose: "show who is signed in on this device",
    load: async () => (await import("./commands/whoami.ts")).whoami,
  },
  ls: {
    purpose: "list the machines you may log in to, and the users there",
    load: async () => (await import("./commands/ls.ts")).ls,
  },
  ping: {
    purpose: "show how a peer can be reached, and its state",
    load: async () => (await import("./commands/ping.ts")).ping,
  },
  doctor: {
    purpose: "find problems on this machine and say how to fix them",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  completion: {
    purpose: "print a completion script for bash, zsh or fish, or the manual page",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  upgrade: {
    purpose: "move this machine to a newer release",
    load: async () => (await import("./commands/upgrade.ts")).upgrade,
  },
  version: {
    purpose: "show which build this is",
    load: async () => (await import("./commands/version.ts")).version,
  },
};

export const NOUNS: Readonly<Record<string, Noun>> = {
  agent: {
    about: `The process that makes a machine a peer. It serves SSH to the people whom policies allow.`,
    verbs: {
      up: {
        purpose: "join this machine to the network and serve; change flags of a running agent",
        load: async () => (await import("./commands/agent-up.ts")).agentUp,
      },
      down: {
        purpose: "stop the agent",
        load: async () => (await import("./commands/agent-down.ts")).agentDown,
      },
      status: {
        purpose: "say how the agent is",
        load: async () => (await import("./commands/agent-status.ts")).agentStatus,
      },
      ssh: {
        purpose: "serve one connection on stdin and stdout",
        load: async () => (await import("./commands/agent-ssh.ts")).agentSsh,
      },
    },
  },
  import: {
    about: `Moving here from another product.`,
    verbs: {
      netbird: {
        purpose: "make groups, service users, setup keys and a policy file of a NetBird account",
        load: async () => (await import("./commands/import-netbird.ts")).importNetBird,
      },
    },
  },
  "ssh-config": {
    about: `The OpenSSH configuration with which ssh, scp, git and other programs reach peers.`,
    verbs: {
      install: {
        purpose: "make ssh reach peers by their names",
        load: async () => (await import("./commands/ssh-config-install.ts")).sshConfigInstall,
      },
      print: {
        purpose: "print what install would write",
        load: async () => (await import("./commands/ssh-config-print.ts")).sshConfigPrint,
      },
      remove: {
        purpose: "remove it again",
        load: async () => (await import("./commands/ssh-config-remove.ts")).sshConfigRemove,
      },
    },
  },
  reason: {
    about: `Why you connect, where a policy wants to know: kept for a while, for tools that nobody can ask.`,
    verbs: {
      set: {
        purpose: "keep a reason for the next while",
        load: async () => (await import("./commands/reason.ts")).reasonSet,
      },
      show: {
        purpose: "show the reason that is kept",
        load: async () => (await import("./commands/reason.ts")).reasonShow,
      },
      clear: {
        purpose: "forget it",
        load: async () => (await import("./commands/reason.ts")).reasonClear,
      },
    },
  },
  management: {
    about: `The management server: REST API, identity provider, certificate authority and relay.`,
    verbs: {
      init: {
        purpose: "create the data folder, its keys and the owner; print an API token",
        load: async () => (await import("./commands/management-init.ts")).managementInit,
      },
      serve: {
        purpose: "run the server",
        load: async () => (await import("./commands/management-serve.ts")).managementServe,
      },
      token: {
        purpose: "create an API token on this host, when no owner can sign in",
        load: async () => (await import("./commands/management-token.ts")).managementToken,
      },
      rotate: {
        purpose: "replace the key that signs the audit log",
        load: async () => (await import("./commands/management-rotate.ts")).managementRotate,
      },
      "new-epoch": {
        purpose: "make machines accept data restored from a backup",
        load: async () => (await import("./commands/management-new-epoch.ts")).managementNewEpoch,
      },
    },
  },
  user: {
    about: `People and service users. Policies grant access to the groups that users are in.`,
    verbs: {
      list: { purpose: "list users", load: async () => (await users()).userList },
      create: { purpose: "create a person or service user", load: async () => (await users()).userCreate },
      update: {
        purpose: "change groups or role, block or approve",
        load: async () => (await users()).userUpdate,
      },
      invite: { purpose: "print a new invitation link", load: async () => (await passwords()).userInvite },
      "reset-password": {
        purpose: "print a link for choosing another password",
        load: async () => (await passwords()).userResetPassword,
      },
      password: { purpose: "change your own password", load: async () => (await passwords()).userPassword },
      delete: { purpose: "delete a user", load: async () => (await users()).userDelete },
    },
  },
  group: {
    about: `Named sets of users and peers, which policies refer to.`,
    verbs: {
      list: { purpose: "list groups", load: async () => (await groups()).groupList },
      create: { purpose: "create a group", load: async () => (await groups()).groupCreate },
      update: { purpose: "change its name or peers", load: async () => (await groups()).groupUpdate },
      delete: { purpose: "delete a group", load: async () => (await groups()).groupDelete },
    },
  },
  peer: {
    about: `Machines that run qf agent, and the devices that people sign in on.`,
    verbs: {
      list: { purpose: "list peers", load: async () => (await peers()).peerList },
      update: { purpose: "change its name, SSH or approval", load: async () => (await peers()).peerUpdate },
      delete: { purpose: "delete a peer", load: async () => (await peers()).peerDelete },
      block: {
        purpose: "block a peer",
        load: async () => (await import("./commands/peer-block.ts")).peerBlock,
      },
      unblock: {
        purpose: "unblock a peer",
        load: async () => (await import("./commands/peer-block.ts")).peerUnblock,
      },
      "release-name": {
        purpose: "let another peer take a name that is no longer used",
        load: async () => (await peers()).peerReleaseName,
      },
    },
  },
  "setup-key": {
    about: `Keys with which machines enrol without a person.`,
    verbs: {
      list: { purpose: "list setup keys", load: async () => (await setupKeys()).setupKeyList },
      create: {
        purpose: "create a setup key and print it",
        load: async () => (await setupKeys()).setupKeyCreate,
      },
      update: {
        purpose: "change the groups of machines that enrol with it",
        load: async () => (await setupKeys()).setupKeyUpdate,
      },
      revoke: { purpose: "revoke a setup key", load: async () => (await setupKeys()).setupKeyRevoke },
      delete: { purpose: "delete a setup key", load: async () => (await setupKeys()).setupKeyDelete },
    },
  },
  token: {
    about: `API tokens, for these commands and the REST API or for signing a service user in.`,
    verbs: {
      list: { purpose: "list tokens", load: async () => (await tokens()).tokenList },
      create: { purpose: "create a token and print it", load: async () => (await tokens()).tokenCreate },
      delete: { purpose: "delete a token", load: async () => (await tokens()).tokenDelete },
    },
  },
  policy: policyNoun,
  "posture-check": {
    about: `Requirements that a device must meet before a policy lets it in: version, system or address.`,
    verbs: {
      list: {
        purpose: "list posture checks",
        load: async () => (await import("./commands/posture-check.ts")).postureCheckList,
      },
      create: {
        purpose: "create a posture check",
        load: async () => (await import("./commands/posture-check.ts")).postureCheckCreate,
      },
      update: {
        purpose: "change a posture check",
        load: async () => (await import("./commands/posture-check.ts")).postureCheckUpdate,
      },
      delete: {
        purpose: "delete a posture check",
        load: async () => (await import("./commands/posture-check.ts")).postureCheckDelete,
      },
    },
  },
  account: {
    about: `The organisation: its domain, and the settings that apply to everyone in it.`,
    verbs: {
      get: {
        purpose: "show the settings",
        load: async () => (await import("./commands/account.ts")).accountGet,
      },
      set: {
        purpose: "change settings",
        load: async () => (await import("./commands/account.ts")).accountSet,
      },
    },
  },
  session: sessionNoun,
  rollout: rolloutNoun,
  access: accessNoun,
  ...auditNouns,
};

/** Aliases of other commands, so that tutorials work with only the program's name replaced. */
export const SHORT: Readonly<Record<string, readonly string[]>> = {
  up: ["agent", "up"],
  down: ["agent", "down"],
  status: ["agent", "status"],
};
