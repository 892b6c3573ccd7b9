/**
 * The page of one rollout: its progress, its machines, and actions to halt, resume or end it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Badge } from "../../components/badge.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { classes } from "../../components/class-names.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Detail } from "../../components/detail.tsx";
import { useGroupNames } from "../../components/group-names-field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty, Note } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Section } from "../../components/section.tsx";
import { ShareBar } from "../../components/share-bar.tsx";
import { Time } from "../../components/time.tsx";
import { RolloutActions } from "./rollout-actions.tsx";
import {
  isOpen,
  ROLLOUT_TONES,
  type Rollout,
  type RolloutMachine,
  STEP_TONES,
  STEP_WORDS,
  stagesText,
  stageText,
} from "./rollout-words.ts";

const route = getRouteApi("/rollouts/$rolloutId");
const BACK = { to: "/rollouts", label: "All rollouts" } as const;

export function RolloutPage() {
  const { rolloutId } = route.useParams();
  const query = useQuery(reading("GET /api/rollouts/:rolloutId", { params: { rolloutId } }));
  return (
    <Detail
      query={query}
      what="rollout"
      back={BACK}
      gone="The link is not right, or it is of another account."
    >
      {(rollout) => <Shown key={rollout.id} rollout={rollout} />}
    </Detail>
  );
}

function Shown({ rollout }: { readonly rollout: Rollout }) {
  const { version, state } = rollout;
  return (
    <>
      <PageHeader
        title={`Rollout of ${version}`}
        about={
          <span className="flex flex-wrap items-center gap-2">
            <Badge tone={ROLLOUT_TONES[state]} dot={state === "running"}>
              {state}
            </Badge>
            {isOpen(rollout) ? <span>{stageText(rollout)}</span> : null}
          </span>
        }
        actions={<RolloutActions rollout={rollout} />}
      />
      <Why rollout={rollout} />
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <Progress rollout={rollout} />
        <About rollout={rollout} />
      </div>
      <Machines rollout={rollout} />
    </>
  );
}

function Why({ rollout: { state, why } }: { readonly rollout: Rollout }) {
  if (why === "" && state !== "halted") return null;
  return (
    <div className="mb-4">
      <Note tone={state === "halted" ? "warn" : "plain"}>
        {why === "" ? null : <p className="font-medium first-letter:uppercase">{why}.</p>}
        {state === "halted" ? (
          <p>
            No further machine is told. Resume it once the cause is mended: machines that failed are told
            again.
          </p>
        ) : null}
      </Note>
    </div>
  );
}

/** Machines by outcome, in the order in which they are drawn. */
const PARTS: readonly (readonly [name: keyof Rollout["machines"], label: string, ground: string])[] = [
  ["done", "done", "bg-good"],
  ["working", "upgrading", "bg-accent"],
  ["ordered", "told", "bg-accent opacity-60"],
  ["failed", "failed", "bg-bad"],
  ["refused", "refused", "bg-warn"],
  ["waiting", "have their turn later", "bg-edge"],
];

function Progress({ rollout: { machines } }: { readonly rollout: Rollout }) {
  const shown = PARTS.filter(([name]) => machines[name] > 0 || name === "done" || name === "waiting");
  return (
    <Card title="How far it is">
      <ShareBar shares={PARTS.map(([name, , ground]) => ({ name, ground, count: machines[name] }))} />
      <ul className="grid grid-cols-2 gap-2 sm:grid-cols-3">
        {shown.map(([name, label, ground]) => (
          <li key={name}>
            <span className="block font-semibold text-lg tabular-nums">
              {machines[name].toLocaleString("en")}
            </span>
            <span className="flex items-center gap-1.5 text-soft text-xs">
              <span aria-hidden="true" className={classes("size-2 shrink-0 rounded-full", ground)} />
              {label}
            </span>
          </li>
        ))}
      </ul>
      {machines.not_allowed === 0 ? null : (
        <p className="mt-3 text-soft">
          {machines.not_allowed === 1
            ? "1 older machine takes no part"
            : `${machines.not_allowed.toLocaleString("en")} older machines take no part`}
          : root has not run{" "}
          <code>
            qf agent up <span className="whitespace-nowrap">--allow-managed-upgrades</span>
          </code>{" "}
          there.
        </p>
      )}
    </Card>
  );
}

function About({ rollout }: { readonly rollout: Rollout }) {
  const nameOf = useGroupNames();
  const { group, failures_max, created_at, ended_at } = rollout;
  return (
    <Card title="About">
      <Facts
        facts={[
          [
            "Machines",
            group === null ? (
              "all"
            ) : (
              <Link to="/groups/$groupId" params={{ groupId: group }} className="text-accent hover:underline">
                <bdi>{nameOf(group)}</bdi>
              </Link>
            ),
          ],
          ["Stages", stagesText(rollout)],
          ["Halts after", failures_max === 0 ? "the first failure" : `more than ${failures_max} failures`],
          ["Started", <Time key="started" iso={created_at} exact />],
          ["Ended", ended_at === null ? null : <Time key="ended" iso={ended_at} exact />],
        ]}
      />
    </Card>
  );
}

function Machines({ rollout: { id, state } }: { readonly rollout: Rollout }) {
  const machines = useQuery(reading("GET /api/rollouts/:rolloutId/machines", { params: { rolloutId: id } }));
  return (
    <div className="mt-6">
      <Section title="Machines that were told">
        <Loaded query={machines} rows={3}>
          {(all) =>
            all.length === 0 ? (
              <Empty title="No machine was told yet">
                {state === "running"
                  ? "It begins as soon as a machine is connected that is older and whose root allows it."
                  : "It was over before a machine had its turn."}
              </Empty>
            ) : (
              <DataTable
                label="Machines that were told"
                rows={all}
                rowId={({ peer_id }) => peer_id}
                columns={COLUMNS}
              />
            )
          }
        </Loaded>
      </Section>
    </div>
  );
}

const COLUMNS: readonly Column<RolloutMachine>[] = [
  {
    id: "name",
    header: "Machine",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ peer_id, name }) => (
      <Link
        to="/machines/$machineId"
        params={{ machineId: peer_id }}
        className="font-medium text-accent hover:underline"
      >
        <bdi>{name}</bdi>
      </Link>
    ),
  },
  { id: "version", header: "Runs", sortBy: ({ version }) => version, cell: ({ version }) => version },
  {
    id: "state",
    header: "State",
    sortBy: ({ state }) => state,
    cell: ({ state }) => (
      <Badge tone={STEP_TONES[state]} dot={state === "working"}>
        {STEP_WORDS[state]}
      </Badge>
    ),
  },
  { id: "detail", header: "What it said", cell: ({ detail }) => detail },
  {
    id: "told",
    header: "Told",
    from: "md",
    sortBy: ({ ordered_at }) => ordered_at,
    cell: ({ ordered_at }) => <Time iso={ordered_at} />,
  },
];
