/**
 * Earlier states of the policies: who made each, when, why, and what it changed. Restoring one shows its
 * difference first, like any other change.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, callApi } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, ButtonLink } from "../../components/button.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty, FailureNotice } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { type AskedChange, PolicyChange } from "./policy-change.tsx";
import { PolicyChanges } from "./policy-changes.tsx";
import { PolicySource, useCanChange } from "./policy-source.tsx";

type Entry = Answer<"GET /api/policy/history">[number];

export function PolicyHistoryPage() {
  const call = { query: { limit: "100" } };
  const history = useQuery({ ...reading("GET /api/policy/history", call), staleTime: 0 });
  return (
    <>
      <PageHeader
        title="History of the policies"
        about="The newest 100, with the settings of groups and the tests. The audit log has all changes."
        actions={<ButtonLink to="/policies">All policies</ButtonLink>}
      />
      <PolicySource />
      <Loaded query={history}>
        {(entries) =>
          entries.length === 0 ? (
            <Empty title="No change yet">
              From the first change on, each state of the policies is kept here, to be looked at and restored.
            </Empty>
          ) : (
            <Entries entries={entries} />
          )
        }
      </Loaded>
    </>
  );
}

function Entries({ entries }: { readonly entries: readonly Entry[] }) {
  const canRestore = useCanChange();
  const [change, setChange] = useState<AskedChange | null>(null);
  const [error, setError] = useState<unknown>(null);
  const restore = async ({ number }: Entry): Promise<void> => {
    setError(null);
    try {
      const { file } = await callApi("GET /api/policy/history/:stateNumber", {
        params: { stateNumber: String(number) },
      });
      setChange({
        title: `Restore state ${number}?`,
        verb: "Restore",
        done: `The policies are as they were in state ${number}.`,
        file,
      });
    } catch (cause) {
      setError(cause);
    }
  };
  return (
    <>
      {error === null ? null : <FailureNotice error={error} />}
      <ol className="flex flex-col gap-3">
        {entries.map((entry) => (
          <li key={entry.number}>
            <EntryCard entry={entry} onRestore={canRestore && !entry.current ? restore : null} />
          </li>
        ))}
      </ol>
      <PolicyChange change={change} onClose={() => setChange(null)} />
    </>
  );
}

interface EntryCardProps {
  readonly entry: Entry;
  /** Null if the user may not restore states, or this one is in force. */
  readonly onRestore: ((entry: Entry) => Promise<void>) | null;
}

function EntryCard({ entry, onRestore }: EntryCardProps) {
  const { number, at, by, via, reason, current, changes } = entry;
  return (
    <section className="rounded-lg border border-line bg-card p-4 sm:px-5">
      <div className="flex items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 className="font-semibold text-base">State {number}</h2>
          <p className="text-soft">
            <Time iso={at} exact />
            {by === null ? ", and before" : null}
            {by === null ? null : (
              <>
                , by <bdi>{by.name}</bdi> {via === "dashboard" ? "in the dashboard" : "by the API or qf"}
              </>
            )}
          </p>
          {reason === "" ? null : (
            <p>
              <bdi>{reason}</bdi>
            </p>
          )}
        </div>
        <div className="flex shrink-0 items-center gap-2">
          {current ? <Badge tone="good">in force</Badge> : null}
          {onRestore === null ? null : (
            <Button onClick={() => void onRestore(entry)} aria-label={`Restore state ${number}`}>
              Restore
            </Button>
          )}
        </div>
      </div>
      {changes.length === 0 ? null : (
        <div className="mt-2">
          <PolicyChanges changes={changes} />
        </div>
      )}
    </section>
  );
}
