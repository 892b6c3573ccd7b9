/**
 * Setup keys, by which machines join: what is left of each, and ending one.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import type { BulkAction } from "../../components/bulk-bar.tsx";
import { Button, ButtonLink } from "../../components/button.tsx";
import type { Column } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FilteredTable } from "../../components/filtered-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";

type SetupKey = Answer<"GET /api/setup-keys">[number];

export function SetupKeysPage() {
  const actions = useKeyActions();
  const keys = useQuery(reading("GET /api/setup-keys"));
  const me = useMe();
  const add = (
    <ButtonLink to="/machines/add" weight="primary">
      Add a machine
    </ButtonLink>
  );
  return (
    <>
      <PageHeader
        title="Setup keys"
        about="A machine joins with a key. The key itself is shown once, when it is made."
        actions={may(me, "setup_keys", "create") ? add : null}
      />
      <Loaded query={keys}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No setup key yet" action={add}>
              Adding a machine makes one for it.
            </Empty>
          ) : (
            <FilteredTable
              label="Setup keys"
              filterLabel="Filter setup keys"
              rows={all}
              rowId={({ id }) => id}
              columns={COLUMNS}
              texts={({ name, state, type }) => [name, state, type]}
              bulk={{ what: "setup keys", nameOf: ({ name }) => name, actions }}
            />
          )
        }
      </Loaded>
    </>
  );
}

function useKeyActions(): readonly BulkAction<SetupKey>[] {
  const me = useMe();
  const change = useChange("PUT /api/setup-keys/:keyId");
  if (!may(me, "setup_keys", "update")) return [];
  return [
    {
      label: "Revoke",
      done: "revoked",
      loss: "No machine joins with them any more. Machines that have joined stay.",
      applies: ({ revoked }) => !revoked,
      run: ({ id, auto_groups }) =>
        change.mutateAsync({ params: { keyId: id }, body: { revoked: true, auto_groups } }),
    },
  ];
}

const TONES = { valid: "good", overused: "plain", expired: "plain", revoked: "bad" } as const;

const COLUMNS: readonly Column<SetupKey>[] = [
  { id: "name", header: "Key", sortBy: ({ name }) => name.toLowerCase(), cell: ({ name }) => name },
  {
    id: "state",
    header: "State",
    sortBy: ({ state }) => state,
    cell: ({ state }) => <Badge tone={TONES[state]}>{state === "overused" ? "used up" : state}</Badge>,
  },
  { id: "type", header: "Kind", from: "md", cell: ({ type }) => (type === "one-off" ? "once" : "reusable") },
  {
    id: "used",
    header: "Used",
    numeric: true,
    sortBy: ({ used_times }) => used_times,
    cell: ({ used_times, usage_limit }) =>
      usage_limit === 0 ? used_times : `${used_times} of ${usage_limit}`,
  },
  {
    id: "ends",
    header: "Ends",
    sortBy: ({ expires }) => expires,
    cell: ({ expires }) => <Time iso={expires} />,
  },
  {
    id: "last",
    header: "Last used",
    from: "lg",
    sortBy: ({ last_used }) => last_used,
    cell: ({ last_used }) => <Time iso={last_used} />,
  },
  { id: "act", header: "Actions", isActions: true, cell: (key) => <Revoke setupKey={key} /> },
];

function Revoke({ setupKey }: { readonly setupKey: SetupKey }) {
  const me = useMe();
  const [asks, setAsks] = useState(false);
  const change = useChange("PUT /api/setup-keys/:keyId");
  if (setupKey.revoked || !may(me, "setup_keys", "update")) return null;
  const { id, auto_groups } = setupKey;
  return (
    <>
      <Button size="small" onClick={() => setAsks(true)}>
        Revoke
      </Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={`Revoke ${setupKey.name}?`}
        verb="Revoke"
        onConfirm={() => change.mutateAsync({ params: { keyId: id }, body: { revoked: true, auto_groups } })}
      >
        <p>No machine joins with it any more. Machines that have joined stay.</p>
      </ConfirmDialog>
    </>
  );
}
