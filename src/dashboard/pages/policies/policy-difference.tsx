/**
 * The difference that a policy file makes: access gained, access lost, live connections, last week's
 * decisions, and tests.
 *
 * @module
 */
import type { ReactNode } from "react";
import { actionText } from "../../../policy/code/file-action.ts";
import type { Answer } from "../../api/client.ts";
import { useMe } from "../../app/me.ts";
import { Note } from "../../components/notice.tsx";
import { PolicyChanges } from "./policy-changes.tsx";

type Diff = Answer<"POST /api/policy/diff">;
type Row = Diff["gained"]["rows"][number];

const ROWS_SHOWN = 50;

export function PolicyDifference({ diff }: { readonly diff: Diff }) {
  const me = useMe();
  if (diff.same) return <Note>This is what is in force now: nothing would change.</Note>;
  const failed = diff.tests.results.filter(({ passed }) => !passed);
  const own = diff.lost.rows.filter(({ user }) => user.id === me.id).length;
  return (
    <div className="flex flex-col gap-3">
      {own === 0 ? null : (
        <Note tone="warn">
          <strong>You lose {own === 1 ? "one of these" : `${own} of these`} yourself.</strong>
        </Note>
      )}
      {diff.warnings.map((warning) => (
        <Note key={warning} tone="warn">
          {sentence(warning)}
        </Note>
      ))}
      {failed.length === 0 ? null : (
        <Part tone="bad" title={`${failed.length} of ${diff.tests.results.length} tests fail`}>
          <List>
            {failed.map(({ number, test, sentence, outcome }) => (
              <li key={number}>
                {test.name ?? `Test ${number}`}:{" "}
                <Who user={test.user} as={test.local_user} on={test.machine} />{" "}
                {outcome === null ? "is about something that is gone." : `would be ${ENDED[outcome]}.`}{" "}
                {sentence}
              </li>
            ))}
          </List>
        </Part>
      )}
      <Access title="Gained" tone="good" of={diff.gained} />
      <Access title="Lost" tone="bad" of={diff.lost} />
      {diff.ends.length === 0 ? null : (
        <Part tone="bad" title={`Live connections that end: ${diff.ends.length}`}>
          <List>
            {diff.ends.map(({ connection_id, user, machine, local_user }) => (
              <li key={connection_id}>
                <Who user={user.name} as={local_user} on={machine.name} />
              </li>
            ))}
          </List>
        </Part>
      )}
      <Decisions of={diff.decisions} />
      <Part title="Written">
        <PolicyChanges changes={diff.changes} />
      </Part>
    </div>
  );
}

interface AccessProps {
  readonly title: string;
  readonly tone: "good" | "bad";
  readonly of: Diff["gained"];
}

function Access({ title, tone, of }: AccessProps) {
  if (of.total === 0) return null;
  const key = (row: Row): string => `${row.user.id} ${row.machine.id} ${row.local_user}`;
  return (
    <Part tone={tone} title={`${title}: ${of.total.toLocaleString("en")}`}>
      <List>
        {of.rows.slice(0, ROWS_SHOWN).map((row) => (
          <li key={key(row)}>
            <Who user={row.user.name} as={row.local_user} on={row.machine.name} />
          </li>
        ))}
      </List>
      {of.total > ROWS_SHOWN ? (
        <p className="mt-2 text-soft">and {(of.total - ROWS_SHOWN).toLocaleString("en")} more</p>
      ) : null}
    </Part>
  );
}

/** Capitalises a line of the API and ends it with a full stop. */
function sentence(line: string): string {
  return `${line.slice(0, 1).toUpperCase()}${line.slice(1)}.`;
}

const ENDED = { allow: "allowed", deny: "denied" } as const;

function Decisions({ of }: { readonly of: Diff["decisions"] }) {
  if (of.considered === 0) return null;
  if (of.differ.length === 0) {
    return (
      <p className="text-soft text-xs">
        {of.considered.toLocaleString("en")} decisions of the last {of.days} days would be the same.
      </p>
    );
  }
  return (
    <Part title={`Decisions of the last ${of.days} days that would be others: ${of.differ.length}`}>
      <List>
        {of.differ.slice(0, ROWS_SHOWN).map((one) => (
          <li key={`${one.user.id} ${one.machine.id} ${one.local_user} ${JSON.stringify(one.action)}`}>
            <Who user={one.user.name} as={one.local_user} on={one.machine.name} />,{" "}
            <code className="break-words font-mono text-xs">{actionText(one.action)}</code>:{" "}
            {`${ENDED[one.before]}, then ${ENDED[one.after]}`}
            {one.count > 1 ? ` (${one.count} ×)` : ""}
          </li>
        ))}
      </List>
    </Part>
  );
}

interface WhoProps {
  readonly user: string;
  readonly as: string;
  readonly on: string;
}

function Who({ user, as, on }: WhoProps) {
  return (
    <>
      <bdi>{user}</bdi> as{" "}
      {as === "*" ? "any other local user" : <code className="font-mono text-xs">{as}</code>} on{" "}
      <bdi>{on}</bdi>
    </>
  );
}

interface PartProps {
  readonly title: string;
  readonly tone?: "plain" | "good" | "bad";
  readonly children: ReactNode;
}

const EDGES = { plain: "border-line", good: "border-good", bad: "border-bad" } as const;

function Part({ title, tone = "plain", children }: PartProps) {
  return (
    <section className={`border-l-2 pl-3 ${EDGES[tone]}`}>
      <h3 className="mb-1 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function List({ children }: { readonly children: ReactNode }) {
  return <ul className="flex flex-col gap-1">{children}</ul>;
}
