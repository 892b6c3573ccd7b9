import { Peer } from "../../wire/admin-peers.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { print } from "../output.ts";

const ARGS = { peer: { type: "positional", required: true }, ...ADMIN_ARGS } as const;

export const peerBlock = command(
  `
Block a machine or a device: nothing can connect to it or from it, and its open connections are closed. A
blocked machine no longer receives people, peers and policies. Logins made on a blocked device are
revoked.

usage: qf peer block PEER [--management-url URL]

options:
${ADMIN_OPTIONS}

PEER is a name, an overlay address or an id.

examples:
  qf peer block web1
  qf peer block ada-laptop
`,
  {
    args: ARGS,
    run: ({ args }) => setBlocked(args, true),
  },
);

export const peerUnblock = command(
  `
Unblock a machine or a device. Policies decide again what it may reach.

usage: qf peer unblock PEER [--force] [--management-url URL]

options:
${FORCE_OPTION}
${ADMIN_OPTIONS}

PEER is a name, an overlay address or an id.

examples:
  qf peer unblock web1
  qf peer unblock 100.64.0.7
`,
  {
    args: { ...ARGS, ...FORCE_ARGS },
    run: ({ args }) => setBlocked(args, false),
  },
);

async function setBlocked(
  args: {
    readonly peer: string;
    readonly force?: boolean | undefined;
    readonly json?: boolean | undefined;
    readonly "management-url"?: string | undefined;
  },
  blocked: boolean,
): Promise<void> {
  const admin = await openAdmin(args);
  const [id] = await admin.peerIds([args.peer]);
  const { value: peer } = await admin.request("GET", `/api/peers/${id}`, { answer: Peer });
  const { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled } = peer;
  const body = { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled, blocked };
  const answer = await admin.request("PUT", changePath(`/api/peers/${id}`, args), { body, answer: Peer });
  if (args.json === true) return printBody(answer);
  await print(`${blocked ? "blocked" : "unblocked"} peer ${args.peer} (${id})\n`);
}
