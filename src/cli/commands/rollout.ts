import { QfError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { Rollout, RolloutMachine } from "../../wire/rollout.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, type Admin, openAdmin, printBody, printDone } from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { parseList, parseWhole } from "../parse.ts";

const PATH = "/api/rollouts";
const TEXT = { type: "string" } as const;
const WHICH = "ROLLOUT is the id of a rollout (default: the newest).";

export const rolloutStart = command(
  `
Move machines to a release that this server hands out, in stages. Only machines take part whose root has
allowed it (qf agent up --allow-managed-upgrades), and each checks the publisher's signature by itself. It
halts when a machine fails, or does not come back.

usage: qf rollout start [--version V] [--group GROUP] [--stages PERCENT,...] [--pause SECONDS]
                        [--failures N]

options:
  --version V              release to move to (default: the newest that the server has)
  --group GROUP            only machines of this group (default: all machines)
  --stages PERCENT,...     how many machines take it, stage by stage, up to 100 (default: 10,50,100)
  --pause SECONDS          how long the machines of a stage are watched before the next (default: 600)
  --failures N             how many machines may fail before it halts (default: 0)
${ADMIN_OPTIONS}

examples:
  qf rollout start --version 1.2.3 --group Staging
  qf rollout start --stages 1,10,100 --pause 3600
`,
  {
    args: { version: TEXT, group: TEXT, stages: TEXT, pause: TEXT, failures: TEXT, ...ADMIN_ARGS },
    async run({ args }) {
      const stages = parseList(args.stages).map((one) =>
        parseWhole("stages", one, { min: 1, max: 100, unit: "per cent" }),
      );
      const pause =
        args.pause === undefined
          ? undefined
          : parseWhole("pause", args.pause, { min: 0, max: 604_800, unit: "seconds" });
      const failures =
        args.failures === undefined
          ? undefined
          : parseWhole("failures", args.failures, { min: 0, max: 1_000, unit: "machines" });
      const admin = await openAdmin(args);
      const [group] = await admin.groupIds(args.group === undefined ? [] : [args.group]);
      const body = {
        ...(args.version === undefined ? {} : { version: args.version }),
        ...(group === undefined ? {} : { group }),
        ...(stages.length === 0 ? {} : { stages }),
        ...(pause === undefined ? {} : { pause_seconds: pause }),
        ...(failures === undefined ? {} : { failures_max: failures }),
      };
      const answer = await admin.request("POST", PATH, { body, answer: Rollout });
      const { id, version, machines } = answer.value;
      const left = machines.not_allowed === 0 ? "" : `; ${machines.not_allowed} do not allow it`;
      await printDone(args, answer, `rolling out ${version} to machines: ${machines.waiting}${left} (${id})`);
    },
  },
);

export const rolloutList = command(
  `
List rollouts, newest first, and how far each has come.

usage: qf rollout list [--json]

options:
${ADMIN_OPTIONS}

examples:
  qf rollout list
  qf rollout list --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const answer = await allOf(await openAdmin(args));
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "VERSION", "STATE", "STAGE", "DONE", "UNDER WAY", "FAILED", "WAITING", "WHY"],
        answer.value.map(({ machines, ...one }) => [
          ...[one.id, one.version, one.state, `${one.percent}%`, String(machines.done)],
          ...[String(machines.ordered + machines.working), String(machines.failed)],
          ...[String(machines.waiting), one.why],
        ]),
      );
    },
  },
);

export const rolloutShow = command(
  `
Show the machines that a rollout has told to take its release, and what became of that.

usage: qf rollout show [ROLLOUT] [--json]

options:
${ADMIN_OPTIONS}

${WHICH}

examples:
  qf rollout show
  qf rollout show --json
`,
  {
    args: { rollout: { type: "positional" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const one = await rolloutOf(admin, args.rollout);
      const path = `${PATH}/${one.id}/machines`;
      const answer = await admin.request("GET", path, { answer: RolloutMachine.array() });
      if (args.json === true) return printBody(answer);
      const why = one.why === "" ? "" : `: ${one.why}`;
      await print(`${printable(`${one.version}, stage ${one.percent}%, ${one.state}${why}`)}\n`);
      await printTable(
        ["MACHINE", "VERSION", "STATE", "DETAIL"],
        answer.value.map(({ name, version, state, detail }) => [name, version, state, detail]),
      );
    },
  },
);

interface Move {
  /** Its effect, for the help text. */
  readonly about: string;
  readonly method: "POST" | "DELETE";
  readonly done: string;
}

/** Declares the verb `verb`, which moves a rollout to another state. */
function moves(verb: string, { about, method, done }: Move) {
  const words = `rollout ${verb}`;
  const help = `
${about}

usage: qf ${words} [ROLLOUT]

options:
${ADMIN_OPTIONS}

${WHICH}

examples:
  qf ${words}
  qf ${words} d34hgk3f9s8d7f6g5h4j
`;
  return command(help, {
    args: { rollout: { type: "positional" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const { id, version } = await rolloutOf(admin, args.rollout);
      const path = `${PATH}/${id}${method === "POST" ? `/${verb}` : ""}`;
      const answer = await admin.request(method, path, { answer: Rollout });
      await printDone(args, answer, `${done} the rollout of ${version} (${id})`);
    },
  });
}

export const rolloutHalt = moves("halt", {
  about: "Halt a rollout: no further machine is told. Those that are under way go on.",
  method: "POST",
  done: "halted",
});

export const rolloutResume = moves("resume", {
  about: "Go on with a rollout that halted. Machines that failed are told again.",
  method: "POST",
  done: "resumed",
});

export const rolloutCancel = moves("cancel", {
  about: `\
End a rollout. Machines that have the release keep it: no machine goes below what ran there unless its root
says so.`,
  method: "DELETE",
  done: "cancelled",
});

function allOf(admin: Admin) {
  return admin.request("GET", PATH, { answer: Rollout.array() });
}

async function rolloutOf(admin: Admin, id: string | undefined): Promise<Rollout> {
  const { value } = await allOf(admin);
  const found = id === undefined ? value[0] : value.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw new QfError(
    "ERR_NOT_FOUND",
    id === undefined ? "there is no rollout yet" : `there is no rollout ${id}`,
    {
      hint: "qf rollout list shows all",
    },
  );
}
