import { QfError } from "../../base/errors.ts";
import { AuditStream, OutletTest } from "../../wire/outlet-api.ts";
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
import { parseWhole } from "../parse.ts";
import { theOne } from "../the-one.ts";

const PATH = "/api/audit-streams";
const TARGET_OPTIONS = `\
  --webhook URL            POST entries to this https URL, signed as Standard Webhooks
  --syslog HOST:PORT       send entries as syslog messages (RFC 5424) by TLS
  --syslog-plain HOST:PORT the same without TLS`;
const TARGET_ARGS = {
  webhook: { type: "string" },
  syslog: { type: "string" },
  "syslog-plain": { type: "string" },
} as const;

export const auditStreamList = command(
  `
List the streams that pass every entry of the audit log on, and how far each has come.

usage: qf audit-stream list [--json]

options:
${ADMIN_OPTIONS}

examples:
  qf audit-stream list
  qf audit-stream list --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", PATH, { answer: AuditStream.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "NAME", "TO", "STATUS", "WAITING", "ERROR"],
        answer.value.map((one) => [
          one.id,
          one.name,
          placeOf(one),
          one.status,
          String(one.lag),
          one.last_error ?? "",
        ]),
      );
    },
  },
);

export const auditStreamCreate = command(
  `
Pass every entry of the audit log on to another system, in order and at least once. A webhook's signing
secret is printed now and never again. The server calls public addresses only, and those that its operator
lists with --allow-outbound.

usage: qf audit-stream create NAME --webhook URL | --syslog HOST:PORT | --syslog-plain HOST:PORT
                                   [--from-beginning]

options:
${TARGET_OPTIONS}
  --from-beginning         begin with the first entry of the log (default: with the next one)
${ADMIN_OPTIONS}

examples:
  qf audit-stream create siem --webhook https://siem.example.com/qufabric
  qf audit-stream create logs --syslog logs.example.com:6514 --from-beginning
`,
  {
    args: {
      name: { type: "positional", required: true },
      ...TARGET_ARGS,
      "from-beginning": { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const target = targetOf(args);
      if (target === undefined) {
        throw new QfError("ERR_USAGE", "where to?", { hint: "give --webhook, --syslog or --syslog-plain" });
      }
      const from = args["from-beginning"] === true ? "beginning" : "now";
      const admin = await openAdmin(args);
      const body = { name: args.name, target, from };
      const answer = await admin.request("POST", PATH, { body, answer: AuditStream });
      await printDone(args, answer, `created audit stream ${args.name} (${answer.value.id})`);
      if (args.json !== true) await printSecret(answer.value);
    },
  },
);

export const auditStreamUpdate = command(
  `
Change an audit stream. What is not named stays as it is. Its old address still gets every entry through the
one that says so.

usage: qf audit-stream update STREAM [--name NAME] [--enable | --disable] [--rotate-secret]
                                     [--webhook URL | --syslog HOST:PORT | --syslog-plain HOST:PORT]

options:
${TARGET_OPTIONS}
  --name NAME              new name
  --enable                 go on, where it has stopped
  --disable                stop
  --rotate-secret          make another signing secret, and print it
${ADMIN_OPTIONS}

STREAM is a stream's name or id.

examples:
  qf audit-stream update siem --disable
  qf audit-stream update siem --rotate-secret
`,
  {
    args: {
      stream: { type: "positional", required: true },
      ...TARGET_ARGS,
      name: { type: "string" },
      enable: { type: "boolean" },
      disable: { type: "boolean" },
      "rotate-secret": { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      if (args.enable === true && args.disable === true) {
        throw new QfError("ERR_USAGE", "--enable and --disable contradict each other");
      }
      const target = targetOf(args);
      const admin = await openAdmin(args);
      const before = await streamOf(admin, args.stream);
      const fields = {
        name: args.name ?? before.name,
        enabled: args.enable === true || (args.disable !== true && before.enabled),
        target: target ?? before.target,
      };
      const body = { ...fields, rotate_secret: args["rotate-secret"] === true };
      const answer = await admin.request("PUT", `${PATH}/${before.id}`, { body, answer: AuditStream });
      const what = `audit stream ${args.stream} (${before.id})`;
      if (answer.value.secret === undefined || args.json === true)
        return printChanged(args, { before, body: fields, answer }, what);
      await print(`changed ${what}\n`);
      await printSecret(answer.value);
    },
  },
);

export const auditStreamDelete = command(
  `
Delete an audit stream. Its address still gets every entry through the one that says so.

usage: qf audit-stream delete STREAM

options:
${ADMIN_OPTIONS}

STREAM is a stream's name or id.

examples:
  qf audit-stream delete siem
  qf audit-stream delete d34hgk3f9s8d7f6g5h4j
`,
  {
    args: { stream: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const { id } = await streamOf(admin, args.stream);
      await deleteAt(admin, args, { path: `${PATH}/${id}`, what: `audit stream ${args.stream} (${id})` });
    },
  },
);

export const auditStreamTest = command(
  `
Send a test to an audit stream's address, and say whether it has arrived. Fails where it has not.

usage: qf audit-stream test STREAM

options:
${ADMIN_OPTIONS}

STREAM is a stream's name or id.

examples:
  qf audit-stream test siem
  qf audit-stream test siem --json
`,
  {
    args: { stream: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const { id } = await streamOf(admin, args.stream);
      return runTest(admin, args, `${PATH}/${id}`);
    },
  },
);

/** Runs the test of the outlet at `path`. Throws ERR_UNAVAILABLE when the message does not arrive. */
export async function runTest(
  admin: Admin,
  args: { readonly json?: boolean | undefined },
  path: string,
): Promise<number> {
  const answer = await admin.request("POST", `${path}/test`, { answer: OutletTest });
  const { ok, error, hint } = answer.value;
  if (args.json === true) {
    await printBody(answer);
    return ok ? 0 : 1;
  }
  if (!ok) {
    throw new QfError("ERR_UNAVAILABLE", error ?? "the test has not arrived", hint === null ? {} : { hint });
  }
  await print("the test has arrived\n");
  return 0;
}

/** Prints a new signing secret, if there is one, on its own line. */
export async function printSecret({ secret }: { readonly secret?: string | undefined }): Promise<void> {
  if (secret !== undefined) await print(`signing secret, shown once: ${secret}\n`);
}

function targetOf(args: {
  readonly webhook?: string | undefined;
  readonly syslog?: string | undefined;
  readonly "syslog-plain"?: string | undefined;
}): AuditStream["target"] | undefined {
  const given = [args.webhook, args.syslog, args["syslog-plain"]].filter((one) => one !== undefined);
  if (given.length > 1) throw new QfError("ERR_USAGE", "a stream has one target");
  if (args.webhook !== undefined) return { type: "webhook", url: args.webhook };
  const tls = args["syslog-plain"] === undefined;
  const [place] = given;
  if (place === undefined) return undefined;
  const [, host, port] = /^\[?([^[\]]+)\]?:(\d+)$/.exec(place) ?? [];
  if (host === undefined || port === undefined) {
    throw new QfError("ERR_USAGE", `${JSON.stringify(place)} is not HOST:PORT`);
  }
  const flag = tls ? "syslog" : "syslog-plain";
  return { type: "syslog", host, port: parseWhole(flag, port, { min: 1, max: 65_535, unit: "ports" }), tls };
}

function placeOf({ target }: AuditStream): string {
  if (target.type === "webhook") return target.url;
  return `${target.tls ? "syslog" : "syslog-plain"} ${target.host}:${target.port}`;
}

async function streamOf(admin: Admin, name: string): Promise<AuditStream> {
  const { value } = await admin.request("GET", PATH, { answer: AuditStream.array() });
  return theOne("audit-stream", name, value, (one) => [one.id, one.name]);
}
