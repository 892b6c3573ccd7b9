/**
 * The user's own requests, and the groups that they may ask to join, for My access.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { DurationField } from "../../components/duration-field.tsx";
import { durationText } from "../../components/durations.ts";
import { TextField } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { useToast } from "../../components/toasts.tsx";
import { MY_REQUEST_COLUMNS } from "./request-columns.tsx";
import { approversText } from "./request-words.ts";

type Group = Answer<"GET /api/access/groups">[number];

const REASON_MIN = 3;
const REASON_MAX = 256;

/** Shows nothing if there are neither. */
export function MyRequests() {
  const requests = useQuery(reading("GET /api/access/requests", { query: { which: "own" } }));
  const groups = useQuery(reading("GET /api/access/groups"));
  const open = groups.data ?? [];
  if (requests.error === null && !requests.data?.length && open.length === 0) return null;
  return (
    <section className="mt-8">
      <h2 className="mb-2 font-semibold text-base">My requests</h2>
      <Loaded query={requests} rows={2}>
        {(own) =>
          own.length === 0 ? (
            <p className="text-soft">You have made no request.</p>
          ) : (
            <DataTable label="My requests" rows={own} rowId={({ id }) => id} columns={MY_REQUEST_COLUMNS} />
          )
        }
      </Loaded>
      {open.length === 0 ? null : (
        <ul className="mt-4 divide-y divide-line rounded-lg border border-line bg-card">
          {open.map((group) => (
            <GroupRow key={group.id} group={group} />
          ))}
        </ul>
      )}
    </section>
  );
}

function GroupRow({ group }: { readonly group: Group }) {
  const { name, member, request_seconds_max } = group;
  return (
    <li className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
      <div className="min-w-0">
        <p className="break-words font-medium">{name}</p>
        <p className="text-soft">
          {member === null
            ? `For at most ${durationText(request_seconds_max)}, by ${approversText(group)}.`
            : null}
          {member === "standing" ? "You are in it." : null}
          {member === null || member === "standing" ? null : (
            <>
              You are in it until <Time iso={member} exact />.
            </>
          )}
        </p>
      </div>
      {member === "standing" ? null : <AskForGroup group={group} />}
    </li>
  );
}

function AskForGroup({ group }: { readonly group: Group }) {
  const { id, name, request_seconds_max } = group;
  const [asks, setAsks] = useState(false);
  const [reason, setReason] = useState("");
  const [seconds, setSeconds] = useState<number | undefined>(request_seconds_max);
  const tell = useToast();
  const ask = useChange("POST /api/access/requests", ["events"]);
  const typed = reason.trim();
  return (
    <>
      <Button onClick={() => setAsks(true)} aria-label={`Ask for ${name}`}>
        Ask
      </Button>
      <FormDialog
        open={asks}
        onOpenChange={setAsks}
        title={`Ask to be in ${name}`}
        about={`Decided by ${approversText(group)}. It ends by itself.`}
        submit="Ask"
        disabled={typed.length < REASON_MIN}
        onSubmit={async () => {
          const body = { kind: "group" as const, group: id, reason: typed };
          await ask.mutateAsync({ body: { ...body, ...(seconds === undefined ? {} : { seconds }) } });
          tell(`Asked for ${name}.`);
          setReason("");
        }}
      >
        <DurationField
          label="For"
          hint={`At most ${durationText(request_seconds_max)}.`}
          seconds={seconds}
          onSeconds={setSeconds}
        />
        <TextField
          label="Reason"
          hint="One line of at least three characters: those who decide read it."
          value={reason}
          onValue={setReason}
          maxLength={REASON_MAX}
        />
      </FormDialog>
    </>
  );
}
