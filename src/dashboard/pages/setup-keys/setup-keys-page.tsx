/**
 * The list of setup keys, by which machines join: how much of each is left, and actions to create, edit,
 * revoke and delete them.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { BadgeList } from "../../components/badge-list.tsx";
import type { BulkAction } from "../../components/bulk-bar.tsx";
import { ButtonLink } from "../../components/button.tsx";
import type { Column } from "../../components/data-table.tsx";
import { FilteredTable, type TableFilter } from "../../components/filtered-table.tsx";
import { useGroupNames } from "../../components/group-names-field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { KeyMenu } from "./key-menu.tsx";
import { KEYS_CSV, type SetupKey, usedText } from "./key-words.ts";
import { NewSetupKey } from "./new-setup-key.tsx";

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
        actions={
          may(me, "setup_keys", "create") ? (
            <>
              <NewSetupKey />
              {add}
            </>
          ) : null
        }
      />
      <Loaded query={keys}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No setup key yet" {...(may(me, "setup_keys", "create") ? { action: add } : {})}>
              Adding a machine makes one for it.
            </Empty>
          ) : (
            <FilteredTable<SetupKey>
              label="Setup keys"
              filterLabel="Filter setup keys"
              rows={all}
              rowId={({ id }) => id}
              columns={COLUMNS}
              texts={({ name, state, type }) => [name, state, type]}
              filters={FILTERS}
              csv={{ what: "setup keys", columns: KEYS_CSV }}
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
  const remove = useChange("DELETE /api/setup-keys/:keyId");
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
    {
      label: "Delete",
      done: "deleted",
      loss: "No machine joins with them any more, and they are not in the list any longer. Machines stay.",
      applies: () => may(me, "setup_keys", "delete"),
      run: ({ id }) => remove.mutateAsync({ params: { keyId: id } }),
    },
  ];
}

const TONES = { valid: "good", overused: "plain", expired: "plain", revoked: "bad" } as const;

const inState = (state: SetupKey["state"], label: string) => ({
  value: state,
  label,
  has: (key: SetupKey) => key.state === state,
});

const FILTERS: readonly TableFilter<SetupKey>[] = [
  {
    name: "state",
    label: "State",
    every: "In every state",
    options: [
      inState("valid", "Valid"),
      inState("overused", "Used up"),
      inState("expired", "Expired"),
      inState("revoked", "Revoked"),
    ],
  },
];

const COLUMNS: readonly Column<SetupKey>[] = [
  {
    id: "name",
    header: "Key",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ name, key }) => (
      <span>
        <bdi className="font-medium">{name}</bdi>
        <code className="block font-mono text-soft text-xs">{key}</code>
      </span>
    ),
  },
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
    cell: usedText,
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
  {
    id: "groups",
    header: "Groups",
    from: "xl",
    cell: ({ auto_groups }) => <KeyGroups ids={auto_groups} />,
  },
  { id: "act", header: "Actions", isActions: true, cell: (key) => <KeyMenu setupKey={key} /> },
];

function KeyGroups({ ids }: { readonly ids: readonly string[] }) {
  const nameOf = useGroupNames();
  return <BadgeList names={ids.map(nameOf)} />;
}
