import { Peer } from "../../wire/admin-peers.ts";
import {
  ADMIN_ARGS,
  ADMIN_OPTIONS,
  deleteAt,
  hostNameOf,
  NO_ANSWER,
  openAdmin,
  printBody,
  printDone,
} from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { agoText, userNames } from "../words.ts";

export const peerList = command(
  `
List machines and people's devices: whose they are, whether they are connected, let in and take SSH, which
version they run, and which machine vouches for a device, so that it counts as in the machine's groups.

usage: qf peer list [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf peer list
  qf peer list --json
`,
  {
    meta: { name: "list", description: "List peers" },
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

/** The machine whose groups a device counts as in as well, with the OS user there who asked, and when. */
function vouchText({ vouched_by: vouch }: Peer, peers: readonly Peer[]): string {
  if (vouch === undefined) return "";
  const machine = peers.find(({ id }) => id === vouch.peer_id);
  const name = machine === undefined ? vouch.peer_id : hostNameOf(machine);
  if (vouch.local_uid === undefined || vouch.since === undefined) return name;
  return `${name} (uid ${vouch.local_uid}, ${agoText(vouch.since)})`;
}

/** The host name, which is what people type, and the name that was given where that is another. */
function namesOf(peer: Peer): string {
  const host = hostNameOf(peer);
  return peer.name === host ? host : `${host} (${peer.name})`;
}

export const peerUpdate = command(
  `
Change a peer: its name, whether it takes SSH at all, its approval. What is not named stays.

usage: qf peer update PEER [--name NAME] [--confirm-name] [--ssh=BOOL] [--approve]

options:
  --name NAME              new name; the host name is derived from it, with a-z, 0-9 and - only
  --confirm-name           let people's ssh reach it without the domain (a name given here is confirmed);
                           --confirm-name=false takes that back
  --ssh                    take SSH as policies say; --ssh=false refuses all and ends what is open
  --approve                let in a peer that waits for approval
${ADMIN_OPTIONS}

PEER is a name, an overlay address or an id.

examples:
  qf peer update web1 --ssh=false
  qf peer update ada-laptop --approve
`,
  {
    meta: { name: "update", description: "Change a peer" },
    args: {
      peer: { type: "positional", required: true, description: "Peer" },
      name: { type: "string", valueHint: "name", description: "New name" },
      "confirm-name": { type: "boolean", description: "Works without the domain" },
      ssh: { type: "boolean", description: "Take SSH or not" },
      approve: { type: "boolean", description: "Let in" },
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
      const answer = await admin.request("PUT", `/api/peers/${id}`, { body, answer: Peer });
      await printDone(args, answer, `changed peer ${args.peer} (${id})`);
    },
  },
);

export const peerDelete = command(
  `
Delete a peer: it can no longer connect, and what is open to or from it ends.

usage: qf peer delete PEER [--management-url URL]

options:
${ADMIN_OPTIONS}

PEER is a name, an overlay address or an id.

examples:
  qf peer delete web1
  qf peer delete 100.64.0.7
`,
  {
    meta: { name: "delete", description: "Delete a peer" },
    args: { peer: { type: "positional", required: true, description: "Peer" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [id] = await admin.peerIds([args.peer]);
      await deleteAt(admin, args, { path: `/api/peers/${id}`, what: `peer ${args.peer} (${id})` });
    },
  },
);

export const peerReleaseName = command(
  `
Release the name of a peer that is gone, so that the next one who wants it gets it.

usage: qf peer release-name NAME [--management-url URL]

options:
${ADMIN_OPTIONS}

NAME is without the domain. Until it is released nobody else gets it: whoever has it could be taken for the peer
that had it.

examples:
  qf peer release-name gitlab
  qf peer release-name laptop.ada.device
`,
  {
    meta: { name: "release-name", description: "Release a reserved name" },
    args: { name: { type: "positional", required: true, description: "Name" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const path = `/api/reserved-names/${encodeURIComponent(args.name)}`;
      const answer = await admin.request("DELETE", path, { answer: NO_ANSWER });
      if (args.json === true) return printBody(answer);
      await print(`released the name ${args.name}\n`);
    },
  },
);
