import { QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";
import { NOTICE_TOPICS, NotificationChannel } from "../../wire/outlet-api.ts";
import {
  ADMIN_ARGS,
  ADMIN_OPTIONS,
  type Admin,
  deleteAt,
  openAdmin,
  printBody,
  printChanged,
  printDone,
} from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { parseList, parseOneOf } from "../parse.ts";
import { theOne } from "../the-one.ts";
import { printSecret, runTest } from "./audit-stream.ts";

const PATH = "/api/notifications";
const URL_BYTES_MAX = 4096;

export const notificationList = command(
  `
List the channels on which people are told of requests, refused sign-ins, new devices, changed policies and
an audit log that contradicts itself.

usage: qf notification list [--json]

options:
${ADMIN_OPTIONS}

examples:
  qf notification list
  qf notification list --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", PATH, { answer: NotificationChannel.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "NAME", "TO", "TOPICS", "STATUS", "ERROR"],
        answer.value.map((one) => [
          one.id,
          one.name,
          placeOf(one),
          one.topics.join(","),
          one.status,
          one.last_error ?? "",
        ]),
      );
    },
  },
);

export const notificationCreate = command(
  `
Tell people of what happens: on a webhook, in Slack or what takes the same JSON, or by mail. A webhook's
signing secret is printed now and never again. Mail needs a server with --smtp-url.

usage: qf notification create NAME --webhook URL | --slack-url-file FILE | --email ADDRESS
                                   [--topics TOPIC,...]

options:
  --webhook URL            POST notices to this https URL, signed as Standard Webhooks
  --slack-url-file FILE    file with the URL of an incoming webhook of Slack, which is a secret
  --email ADDRESS          send mail to this address; may be repeated
  --topics TOPIC,...       access_request, sign_in_refused, new_device, policy_change, log_inconsistent
                           (default: all)
${ADMIN_OPTIONS}

examples:
  qf notification create ops --slack-url-file slack-url
  qf notification create security --email security@example.com --topics sign_in_refused,log_inconsistent
`,
  {
    args: {
      name: { type: "positional", required: true },
      webhook: { type: "string" },
      "slack-url-file": { type: "string" },
      email: { type: "string" },
      topics: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const target = await targetOf(args);
      const topics = parseList(args.topics).map((one) => parseOneOf("topics", one, NOTICE_TOPICS));
      const admin = await openAdmin(args);
      const body = { name: args.name, target, ...(topics.length === 0 ? {} : { topics }) };
      const answer = await admin.request("POST", PATH, { body, answer: NotificationChannel });
      await printDone(args, answer, `created notification ${args.name} (${answer.value.id})`);
      if (args.json !== true) await printSecret(answer.value);
    },
  },
  { repeatable: ["email"] },
);

export const notificationUpdate = command(
  `
Change a notification channel. What is not named stays as it is.

usage: qf notification update CHANNEL [--name NAME] [--enable | --disable] [--topics TOPIC,...]
                                      [--webhook URL | --slack-url-file FILE | --email ADDRESS]
                                      [--rotate-secret]

options:
  --name NAME              new name
  --enable                 go on, where it has stopped
  --disable                stop
  --topics TOPIC,...       access_request, sign_in_refused, new_device, policy_change, log_inconsistent
  --webhook URL            POST notices to this https URL, signed as Standard Webhooks
  --slack-url-file FILE    file with the URL of an incoming webhook of Slack, which is a secret
  --email ADDRESS          send mail to this address; may be repeated
  --rotate-secret          of a webhook: make another signing secret, and print it
${ADMIN_OPTIONS}

CHANNEL is a channel's name or id.

examples:
  qf notification update ops --topics access_request,log_inconsistent
  qf notification update ops --disable
`,
  {
    args: {
      channel: { type: "positional", required: true },
      name: { type: "string" },
      enable: { type: "boolean" },
      disable: { type: "boolean" },
      topics: { type: "string" },
      webhook: { type: "string" },
      "slack-url-file": { type: "string" },
      email: { type: "string" },
      "rotate-secret": { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      if (args.enable === true && args.disable === true) {
        throw new QfError("ERR_USAGE", "--enable and --disable contradict each other");
      }
      const topics = parseList(args.topics).map((one) => parseOneOf("topics", one, NOTICE_TOPICS));
      const isMoved = [args.webhook, args["slack-url-file"], args.email].some((one) => one !== undefined);
      const target = isMoved ? await targetOf(args) : undefined;
      const admin = await openAdmin(args);
      const before = await channelOf(admin, args.channel);
      const fields = {
        name: args.name ?? before.name,
        enabled: args.enable === true || (args.disable !== true && before.enabled),
        topics: topics.length === 0 ? before.topics : topics,
      };
      // The API does not return a chat's URL. It stays unless a new one is given.
      const kept = before.target.type === "slack" ? { type: "slack" } : before.target;
      const body = { ...fields, target: target ?? kept, rotate_secret: args["rotate-secret"] === true };
      const answer = await admin.request("PUT", `${PATH}/${before.id}`, {
        body,
        answer: NotificationChannel,
      });
      const what = `notification ${args.channel} (${before.id})`;
      if (args.json !== true && (answer.value.secret !== undefined || isMoved)) {
        await print(`changed ${what}\n`);
        return answer.value.secret === undefined ? undefined : printSecret(answer.value);
      }
      return printChanged(args, { before, body: fields, answer }, what);
    },
  },
  { repeatable: ["email"] },
);

export const notificationDelete = command(
  `
Delete a notification channel.

usage: qf notification delete CHANNEL

options:
${ADMIN_OPTIONS}

CHANNEL is a channel's name or id.

examples:
  qf notification delete ops
  qf notification delete d34hgk3f9s8d7f6g5h4j
`,
  {
    args: { channel: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const { id } = await channelOf(admin, args.channel);
      await deleteAt(admin, args, { path: `${PATH}/${id}`, what: `notification ${args.channel} (${id})` });
    },
  },
);

export const notificationTest = command(
  `
Send a test on a notification channel, and say whether it has arrived. Fails where it has not.

usage: qf notification test CHANNEL

options:
${ADMIN_OPTIONS}

CHANNEL is a channel's name or id.

examples:
  qf notification test ops
  qf notification test ops --json
`,
  {
    args: { channel: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const { id } = await channelOf(admin, args.channel);
      return runTest(admin, args, `${PATH}/${id}`);
    },
  },
);

async function targetOf(args: {
  readonly webhook?: string | undefined;
  readonly "slack-url-file"?: string | undefined;
  readonly email?: string | undefined;
}) {
  const file = args["slack-url-file"];
  const to = parseList(args.email);
  const kinds = [args.webhook, file, to[0]].filter((one) => one !== undefined);
  if (kinds.length !== 1) {
    throw new QfError("ERR_USAGE", "a channel has one kind of target", {
      hint: "give --webhook, --slack-url-file or --email",
    });
  }
  if (args.webhook !== undefined) return { type: "webhook" as const, url: args.webhook };
  if (file === undefined) return { type: "email" as const, to };
  return { type: "slack" as const, url: (await readSmallFile(file, URL_BYTES_MAX)).trim() };
}

function placeOf({ target }: NotificationChannel): string {
  if (target.type === "webhook") return target.url;
  return target.type === "slack" ? `slack ${target.host}` : target.to.join(" ");
}

async function channelOf(admin: Admin, name: string): Promise<NotificationChannel> {
  const { value } = await admin.request("GET", PATH, { answer: NotificationChannel.array() });
  return theOne("notification", name, value, (one) => [one.id, one.name]);
}
