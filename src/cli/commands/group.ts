import { Group } from "../../wire/admin-api.ts";
import {
  ADMIN_ARGS,
  ADMIN_OPTIONS,
  deleteAt,
  openAdmin,
  printBody,
  printChanged,
  printDone,
} from "../admin.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { printTable } from "../output.ts";
import { parseList } from "../parse.ts";

export const groupList = command(
  `
List the account's groups. Peers are added to a group with qf group, users with qf user.

usage: qf group list [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf group list
  qf group list --json
`,
  {
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
Create a group. To add users to it, use qf user create|update --groups.

usage: qf group create NAME [--peers PEER,...]

options:
  --peers PEER,...         peers in the group, by name, address or id; may be repeated (default: none)
${ADMIN_OPTIONS}

examples:
  qf group create Developers
  qf group create Servers --peers web1,web2
`,
  {
    args: {
      name: { type: "positional", required: true },
      peers: { type: "string" },
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
Change a group's name or its peers. Everything else stays as it is. Open connections are checked again.

usage: qf group update GROUP [--name NAME] [--peers PEER,...]

options:
  --name NAME              new name
  --peers PEER,...         replace the peers in the group; may be repeated
${FORCE_OPTION}
${ADMIN_OPTIONS}

examples:
  qf group update Servers --peers web1,web2,db1
  qf group update Servers --name Machines
`,
  {
    args: {
      group: { type: "positional", required: true },
      name: { type: "string" },
      peers: { type: "string" },
      ...FORCE_ARGS,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [id] = await admin.groupIds([args.group]);
      const current = await admin.request("GET", `/api/groups/${id}`, { answer: Group });
      const body = {
        name: args.name ?? current.value.name,
        // A request without peers would empty the group.
        peers:
          args.peers === undefined
            ? current.value.peers.map((peer) => peer.id)
            : await admin.peerIds(parseList(args.peers)),
      };
      const answer = await admin.request("PUT", changePath(`/api/groups/${id}`, args), {
        body,
        answer: Group,
      });
      await printChanged(args, { before: current.value, body, answer }, `group ${args.group} (${id})`);
    },
  },
  { repeatable: ["peers"] },
);

export const groupDelete = command(
  `
Delete a group. It must not be used by a policy, user or setup key.

usage: qf group delete GROUP [--force] [--management-url URL]

options:
${FORCE_OPTION}
${ADMIN_OPTIONS}

examples:
  qf group delete Developers
  qf group delete d34hgk3f9s8d7f6g5h4j
`,
  {
    args: { group: { type: "positional", required: true }, ...FORCE_ARGS, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const [id] = await admin.groupIds([args.group]);
      const path = changePath(`/api/groups/${id}`, args);
      await deleteAt(admin, args, { path, what: `group ${args.group} (${id})` });
    },
  },
);
