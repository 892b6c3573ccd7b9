/**
 * The difference that a policy file makes: access gained first, then lost, live connections, last week's
 * decisions, tests.
 *
 * @module
 */
import type { ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { Badge } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { Note } from "../../components/notice.tsx";

type Diff = Answer<"POST /api/policy/diff">;
type Row = Diff["gained"]["rows"][number];

const ROWS_SHOWN = 50;

export function PolicyDifference({ diff }: { readonly diff: Diff }) {
  if (diff.same) return <Note>This is what is in force now: nothing would change.</Note>;
  const failed = diff.tests.results.filter(({ passed }) => !passed);
  return (
    <div className="flex flex-col gap-4">
      {diff.warnings.map((warning) => (
        <Note key={warning} tone="warn">
          {warning}
        </Note>
      ))}
      {failed.length === 0 ? null : (
        <Card title={`${failed.length} of ${diff.tests.results.length} tests fail`}>
          <List>
            {failed.map(({ number, test, sentence, outcome }) => (
              <li key={number}>
                Test {number}: <code className="font-mono text-xs">{JSON.stringify(test)}</code> is{" "}
                {outcome ?? "about something that is gone"}. {sentence}
              </li>
            ))}
          </List>
        </Card>
      )}
      <Card title="Written">
        <List>
          {diff.changes.map(({ what, change, name, rule, fields }) => (
            <li key={`${what} ${name} ${rule ?? ""}`}>
              <Badge>{change}</Badge> {what} {rule === undefined ? name : `${name}: ${rule}`}
              {fields === undefined || fields.length === 0 ? "" : ` (${fields.join(", ")})`}
            </li>
          ))}
        </List>
      </Card>
      <Access title="Gained" of={diff.gained} />
      <Access title="Lost" of={diff.lost} />
      {diff.ends.length === 0 ? null : (
        <Card title={`Live connections that end: ${diff.ends.length}`}>
          <List>
            {diff.ends.map(({ connection_id, user, machine, local_user }) => (
              <li key={connection_id}>
                {user.name} as {local_user} on {machine.name}
              </li>
            ))}
          </List>
        </Card>
      )}
      <Decisions of={diff.decisions} />
    </div>
  );
}

function Access({ title, of }: { readonly title: string; readonly of: Diff["gained"] }) {
  if (of.total === 0) return <p className="text-soft">{title}: nothing.</p>;
  const key = (row: Row): string => `${row.user.id} ${row.machine.id} ${row.local_user}`;
  return (
    <Card title={`${title}: ${of.total.toLocaleString("en")}`}>
      <List>
        {of.rows.slice(0, ROWS_SHOWN).map((row) => (
          <li key={key(row)}>
            {row.user.name} as <code className="font-mono text-xs">{row.local_user}</code> on{" "}
            {row.machine.name}
          </li>
        ))}
      </List>
      {of.total > ROWS_SHOWN ? <p className="mt-2 text-soft">and {of.total - ROWS_SHOWN} more</p> : null}
    </Card>
  );
}

function Decisions({ of }: { readonly of: Diff["decisions"] }) {
  if (of.differ.length === 0) {
    return (
      <p className="text-soft">
        Of {of.considered} decisions of the last {of.days} days, none would be another.
      </p>
    );
  }
  return (
    <Card title={`Decisions of the last ${of.days} days that would be others: ${of.differ.length}`}>
      <List>
        {of.differ.slice(0, ROWS_SHOWN).map((one) => (
          <li key={`${one.user.id} ${one.machine.id} ${one.local_user} ${JSON.stringify(one.action)}`}>
            {one.user.name} as {one.local_user} on {one.machine.name}: {one.before} becomes {one.after} (
            {one.count} ×)
          </li>
        ))}
      </List>
    </Card>
  );
}

function List({ children }: { readonly children: ReactNode }) {
  return <ul className="flex flex-col gap-1.5">{children}</ul>;
}
