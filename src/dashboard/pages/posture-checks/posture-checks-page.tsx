/**
 * The list of posture checks, which say what a device must be before a policy applies to it, with actions to
 * create, edit and delete them.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import type { Column } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FilteredTable } from "../../components/filtered-table.tsx";
import { Loaded, together } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useToast } from "../../components/toasts.tsx";
import { PostureDialog } from "./posture-dialog.tsx";
import { POSTURE_CSV, type PostureCheck, postureSentence } from "./posture-words.ts";

type Policy = Answer<"GET /api/policies">[number];

interface Row extends PostureCheck {
  readonly policies: readonly Policy[];
}

export function PostureChecksPage() {
  const checks = useQuery(reading("GET /api/posture-checks"));
  const policies = useQuery(reading("GET /api/policies"));
  const me = useMe();
  const create = may(me, "policies", "create") ? <NewCheck /> : null;
  return (
    <>
      <PageHeader
        title="Posture checks"
        about="What a device must be before a policy counts for it. Policies name those that they ask for."
        actions={create}
      />
      <Loaded query={together(checks, policies)}>
        {([all, known]) =>
          all.length === 0 ? (
            <Empty title="No posture check yet" {...(create === null ? {} : { action: <NewCheck /> })}>
              A check asks for a version of qf or of the system, or for the network that a device is in.
            </Empty>
          ) : (
            <CheckList checks={all} policies={known} />
          )
        }
      </Loaded>
    </>
  );
}

interface CheckListProps {
  readonly checks: readonly PostureCheck[];
  readonly policies: readonly Policy[];
}

function CheckList({ checks, policies }: CheckListProps) {
  const rows = checks.map(
    (check): Row => ({
      ...check,
      policies: policies.filter((policy) => policy.source_posture_checks?.includes(check.id)),
    }),
  );
  return (
    <FilteredTable<Row>
      label="Posture checks"
      filterLabel="Filter posture checks"
      rows={rows}
      rowId={({ id }) => id}
      columns={COLUMNS}
      texts={({ name, description, checks: asked }) => [name, description, postureSentence(asked)]}
      csv={{ what: "posture checks", columns: POSTURE_CSV }}
    />
  );
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: "name",
    header: "Check",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ name, description }) => (
      <span>
        <bdi className="font-medium">{name}</bdi>
        {description === "" ? null : <span className="block text-soft text-xs">{description}</span>}
      </span>
    ),
  },
  { id: "asks", header: "Asks", cell: ({ checks }) => postureSentence(checks) },
  {
    id: "used",
    header: "Used by",
    from: "md",
    sortBy: ({ policies }) => policies.length,
    cell: ({ policies }) => <UsedBy policies={policies} />,
  },
  {
    id: "act",
    header: "Actions",
    isActions: true,
    cell: (row) => (
      <div className="flex justify-end gap-2">
        <Edit check={row} />
        <Delete check={row} />
      </div>
    ),
  },
];

function UsedBy({ policies }: { readonly policies: readonly Policy[] }) {
  if (policies.length === 0) return <span className="text-soft">no policy</span>;
  return (
    <span className="flex flex-wrap gap-x-3">
      {policies.map(({ id, name }) => (
        <Link
          key={id}
          to="/policies/$policyId"
          params={{ policyId: id ?? "" }}
          className="text-accent hover:underline"
        >
          <bdi>{name}</bdi>
        </Link>
      ))}
    </span>
  );
}

function NewCheck() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button weight="primary" onClick={() => setIsOpen(true)}>
        New posture check
      </Button>
      {isOpen ? <PostureDialog check={null} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function Edit({ check }: { readonly check: Row }) {
  const me = useMe();
  const [isOpen, setIsOpen] = useState(false);
  if (!may(me, "policies", "update")) return null;
  return (
    <>
      <Button size="small" aria-label={`Edit ${check.name}`} onClick={() => setIsOpen(true)}>
        Edit
      </Button>
      {isOpen ? <PostureDialog check={check} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function Delete({ check }: { readonly check: Row }) {
  const me = useMe();
  const [asks, setAsks] = useState(false);
  const remove = useChange("DELETE /api/posture-checks/:postureCheckId");
  const tell = useToast();
  if (!may(me, "policies", "delete")) return null;
  const isUsed = check.policies.length > 0;
  return (
    <>
      <Button size="small" aria-label={`Delete ${check.name}`} onClick={() => setAsks(true)}>
        Delete
      </Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={isUsed ? `${check.name} is in use` : `Delete ${check.name}?`}
        verb="Delete"
        disabled={isUsed}
        onConfirm={async () => {
          await remove.mutateAsync({ params: { postureCheckId: check.id } });
          tell(`${check.name} was deleted.`);
        }}
      >
        {isUsed ? (
          <>
            <p>It is deleted once no policy asks for it. Take it out here first:</p>
            <UsedBy policies={check.policies} />
          </>
        ) : (
          <p>No policy asks for it, so nobody's access changes.</p>
        )}
      </ConfirmDialog>
    </>
  );
}
