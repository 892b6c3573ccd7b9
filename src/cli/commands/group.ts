import { Group } from "../../wire/admin-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, deleteAt, openAdmin, printBody, printDone } from "../admin.ts";
import { command } from "../command.ts";
import { printTable } from "../output.ts";
import { parseList } from "../parse.ts";

export const groupList = command(
  `
List the groups of the account. A group holds peers by itself, and users by their own groups.

usage: qf group list [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf group list
  qf group list --json
`,
  {
    meta: { name: "list", description: "List groups" },
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/groups", { answer: Group.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "NAME", "PEERS"],
        answer.value.map((group) => [group.id, group.name, group.peers.map((peer) => peer.name).join(", ")]),
      );
    },
  },
);

export const groupCreate = command(
  `
Create a group. Users are put into it with qf user create|update --groups.

usage: qf group create NAME [--peers PEER,...]

options:
  --peers PEER,...         peers in it, by name, address or id; may be repeated (default: none)
${ADMIN_OPTIONS}

examples:
  qf group create Developers
  qf group create Servers --peers web1,web2
`,
  {
    meta: { name: "create", description: "Create a group" },
    args: {
      name: { type: "positional", required: true, description: "Name" },
      peers: { type: "string", valueHint: "peers", description: "Peers" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const body = { name: args.name, peers: await admin.peerIds(parseList(args.peers)) };
      const answer = await admin.request("POST", "/api/groups", { body, answer: Group });
      await printDone(args, answer, `created group ${args.name} (${answer.value.id})`);
    },
  },
  { repeatable: ["peers"] },
);

export const groupUpdate = command(
  `
Change a group's name or its peers. What is not named stays. Live connections are judged anew.

usage: qf group update GROUP [--name NAME] [--peers PEER,...]

options:
  --name NAME              new name
  --peers PEER,...         all peers of the group from now on; may be repeated
${ADMIN_OPTIONS}

examples:
  qf group update Servers --peers web1,web2,db1
  qf group update Servers --name Machines
`,
  {
    meta: { name: "update", description: "Change a group" },
    args: {
      group: { type: "positional", required: true, description: "Group" },
      name: { type: "string", valueHint: "name", description: "New name" },
      peers: { type: "string", valueHint: "peers", description: "Peers" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [id] = await admin.groupIds([args.group]);
      const current = await admin.request("GET", `/api/groups/${id}`, { answer: Group });
      const body = {
        name: args.name ?? current.value.name,
        // A group without peers in the request is one without peers afterwards.
        peers:
          args.peers === undefined
            ? current.value.peers.map((peer) => peer.id)
            : await admin.peerIds(parseList(args.peers)),
      };
      const answer = await admin.request("PUT", `/api/groups/${id}`, { body, answer: Group });
      await printDone(args, answer, `changed group ${args.group} (${id})`);
    },
  },
  { repeatable: ["peers"] },
);

export const groupDelete = command(
  `
Delete a group that no policy, user or setup key refers to.

usage: qf group delete GROUP [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf group delete Developers
  qf group delete d34hgk3f9s8d7f6g5h4j
`,
  {
    meta: { name: "delete", description: "Delete a group" },
    args: { group: { type: "positional", required: true, description: "Group" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [id] = await admin.groupIds([args.group]);
      await deleteAt(admin, args, { path: `/api/groups/${id}`, what: `group ${args.group} (${id})` });
    },
  },
);
