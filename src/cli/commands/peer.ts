import { agoText } from "../../base/moment.ts";
import { Peer } from "../../wire/admin-peers.ts";
import {
  ADMIN_ARGS,
  ADMIN_OPTIONS,
  deleteAt,
  hostNameOf,
  NO_ANSWER,
  openAdmin,
  printBody,
  printChanged,
} from "../admin.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { print, printTable } from "../output.ts";
import { userNames } from "../words.ts";

export const peerList = command(
  `
List machines and people's devices: their owners, whether they are connected, approved and accept SSH,
which version they run, and which machine vouches for a device and so lends it the machine's groups.

usage: qf peer list [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf peer list
  qf peer list --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/peers", { answer: Peer.array() });
      if (args.json === true) return printBody(answer);
      const owners = await userNames(admin);
      await printTable(
        [
          ...["ID", "NAME", "KIND", "ADDRESS", "LAST SEEN", "STATUS", "SSH", "OWNER", "VERSION"],
          ...["VOUCHED BY", "GROUPS"],
        ],
        answer.value.map((peer) => [
          peer.id,
          namesOf(peer),
          peer.kind ?? "machine",
          peer.ip,
          peer.connected ? "connected" : agoText(peer.last_seen),
          peer.blocked === true ? "blocked" : peer.approval_required ? "pending" : "active",
          peer.ssh_enabled ? "enabled" : "disabled",
          owners(peer.user_id),
          peer.version,
          vouchText(peer, answer.value),
          peer.groups.map((group) => group.name).join(", "),
        ]),
      );
    },
  },
);

/** The machine that vouches for a device, the OS user there who asked for it, and when. */
function vouchText({ vouched_by: vouch }: Peer, peers: readonly Peer[]): string {
  if (vouch === undefined) return "";
  const machine = peers.find(({ id }) => id === vouch.peer_id);
  const name = machine === undefined ? vouch.peer_id : hostNameOf(machine);
  if (vouch.local_uid === undefined || vouch.since === undefined) return name;
  return `${name} (uid ${vouch.local_uid}, ${agoText(vouch.since)})`;
}

/** The host name, which people type, and the display name if it differs. */
function namesOf(peer: Peer): string {
  const host = hostNameOf(peer);
  return peer.name === host ? host : `${host} (${peer.name})`;
}

export const peerUpdate = command(
  `
Change the name of a peer, allow or refuse SSH to it, or approve it. Everything else stays as it is.

usage: qf peer update PEER [--name NAME] [--confirm-name] [--ssh=BOOL] [--approve]

options:
  --name NAME              new name; its host name is derived from this, with only a-z, 0-9 and -
  --confirm-name           let people's ssh reach it without the domain (--name confirms the new name);
                           --confirm-name=false withdraws this
  --ssh                    accept SSH as policies allow; --ssh=false refuses it and closes open connections
  --approve                approve a peer that is waiting for approval
${FORCE_OPTION}
${ADMIN_OPTIONS}

PEER is a name, an overlay address or an id.

examples:
  qf peer update web1 --ssh=false
  qf peer update ada-laptop --approve
`,
  {
    args: {
      peer: { type: "positional", required: true },
      name: { type: "string" },
      "confirm-name": { type: "boolean" },
      ssh: { type: "boolean" },
      approve: { type: "boolean" },
      ...FORCE_ARGS,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [id] = await admin.peerIds([args.peer]);
      const { value: peer } = await admin.request("GET", `/api/peers/${id}`, { answer: Peer });
      const body = {
        name: args.name ?? peer.name,
        ssh_enabled: args.ssh ?? peer.ssh_enabled,
        login_expiration_enabled: peer.login_expiration_enabled,
        inactivity_expiration_enabled: peer.inactivity_expiration_enabled,
        ...(args["confirm-name"] === undefined ? {} : { name_confirmed: args["confirm-name"] }),
        ...(args.approve === true ? { approval_required: false } : {}),
      };
      const answer = await admin.request("PUT", changePath(`/api/peers/${id}`, args), { body, answer: Peer });
      await printChanged(args, { before: peer, body, answer }, `peer ${args.peer} (${id})`);
    },
  },
);

export const peerDelete = command(
  `
Delete a peer. It can no longer connect, and its open connections are closed.

usage: qf peer delete PEER [--management-url URL]

options:
${ADMIN_OPTIONS}

PEER is a name, an overlay address or an id.

examples:
  qf peer delete web1
  qf peer delete 100.64.0.7
`,
  {
    args: { peer: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [id] = await admin.peerIds([args.peer]);
      await deleteAt(admin, args, { path: `/api/peers/${id}`, what: `peer ${args.peer} (${id})` });
    },
  },
);

export const peerReleaseName = command(
  `
Release the former name of a peer that was deleted or renamed, so that another peer can take it.

usage: qf peer release-name NAME [--management-url URL]

options:
${ADMIN_OPTIONS}

NAME is the name without the domain. Former names stay reserved until they are released, because another peer
with such a name could be mistaken for the one that had it.

examples:
  qf peer release-name gitlab
  qf peer release-name laptop.ada.device
`,
  {
    args: { name: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const path = `/api/reserved-names/${encodeURIComponent(args.name)}`;
      const answer = await admin.request("DELETE", path, { answer: NO_ANSWER });
      if (args.json === true) return printBody(answer);
      await print(`released the name ${args.name}\n`);
    },
  },
);
