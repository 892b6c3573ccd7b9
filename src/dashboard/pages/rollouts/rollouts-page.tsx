/**
 * The list of rollouts, which move machines to a release in stages, with the progress of each.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { useGroupNames } from "../../components/group-names-field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { NewRollout } from "./new-rollout.tsx";
import { partOf, ROLLOUT_TONES, type Rollout, stageText } from "./rollout-words.ts";

const ABOUT =
  "Moves machines to a newer qf, a few at first. Sessions go on meanwhile. A rollout halts by itself when a " +
  "machine does not come back.";

export function RolloutsPage() {
  const rollouts = useQuery(reading("GET /api/rollouts"));
  const me = useMe();
  const start = may(me, "peers", "update") ? <NewRollout /> : null;
  return (
    <>
      <PageHeader title="Rollouts" about={ABOUT} actions={start} />
      <Loaded query={rollouts}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No rollout yet" {...(start === null ? {} : { action: start })}>
              Machines take part whose root allows it:{" "}
              <code>
                qf agent up <span className="whitespace-nowrap">--allow-managed-upgrades</span>
              </code>
              . Releases are those that this server hands out.{" "}
              <a href="/docs/upgrade" className="text-accent underline">
                How upgrades work
              </a>
            </Empty>
          ) : (
            <DataTable label="Rollouts" rows={all} rowId={({ id }) => id} columns={COLUMNS} />
          )
        }
      </Loaded>
    </>
  );
}

const COLUMNS: readonly Column<Rollout>[] = [
  {
    id: "version",
    header: "Release",
    cell: ({ id, version }) => (
      <Link
        to="/rollouts/$rolloutId"
        params={{ rolloutId: id }}
        className="font-medium text-accent hover:underline"
      >
        {version}
      </Link>
    ),
  },
  {
    id: "state",
    header: "State",
    cell: ({ state }) => (
      <Badge tone={ROLLOUT_TONES[state]} dot={state === "running"}>
        {state}
      </Badge>
    ),
  },
  { id: "stage", header: "Stage", from: "md", cell: (one) => stageText(one) },
  {
    id: "done",
    header: "Done",
    numeric: true,
    sortBy: ({ machines }) => machines.done,
    cell: (one) => `${one.machines.done.toLocaleString("en")} of ${partOf(one).toLocaleString("en")}`,
  },
  {
    id: "failed",
    header: "Failed",
    numeric: true,
    sortBy: ({ machines }) => machines.failed,
    cell: ({ machines }) => machines.failed.toLocaleString("en"),
  },
  { id: "group", header: "Machines", from: "md", cell: ({ group }) => <OfGroup group={group} /> },
  {
    id: "started",
    header: "Started",
    sortBy: ({ created_at }) => created_at,
    cell: ({ created_at }) => <Time iso={created_at} />,
  },
];

function OfGroup({ group }: Pick<Rollout, "group">) {
  const nameOf = useGroupNames();
  return group === null ? "all" : <bdi>{nameOf(group)}</bdi>;
}
