/**
 * The Access page: whether a user may log in as a local user on a machine, explained rule by rule, and a
 * table of who may log in where, and as whom.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import type { CsvColumn } from "../../components/csv.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { ExportButton } from "../../components/export-button.tsx";
import { TextField } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import type { AccessQuestion } from "../../terms/access-question.ts";
import { accessWords } from "./capability-words.ts";

type AccessRow = Answer<"GET /api/policy/who">["rows"][number];
type Explanation = Answer<"GET /api/policy/explain">;

const route = getRouteApi("/access");

export function AccessPage() {
  const question = route.useSearch();
  return (
    <>
      <PageHeader
        title="Access"
        about="Who may log in as whom, and where. Ask about a person, a machine, or both."
      />
      <Question key={JSON.stringify(question)} question={question} />
      <Reply question={question} />
    </>
  );
}

function Question({ question }: { readonly question: AccessQuestion }) {
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState<AccessQuestion>(question);
  const field = (name: keyof AccessQuestion, label: string, hint: string) => (
    <TextField
      label={label}
      hint={hint}
      value={typed[name] ?? ""}
      onValue={(value) => setTyped({ ...typed, [name]: value })}
    />
  );
  return (
    <Card className="mb-5">
      <form
        className="grid grid-cols-1 items-start gap-4 md:grid-cols-[1fr_1fr_1fr_auto]"
        onSubmit={(event) => {
          event.preventDefault();
          const search = Object.fromEntries(Object.entries(typed).filter(([, value]) => value.trim() !== ""));
          void navigate({ search });
        }}
      >
        {field("user", "Person", "E-mail or id; empty for everybody")}
        {field("machine", "Machine", "Its name; empty for all of a person's")}
        {field("as", "Local user", "Empty for any")}
        <Button type="submit" weight="primary" className="md:mt-[1.625rem]">
          Ask
        </Button>
      </form>
    </Card>
  );
}

function Reply({ question: { user, machine, as } }: { readonly question: AccessQuestion }) {
  if (user !== undefined && machine !== undefined && as !== undefined) {
    return <Trace user={user} machine={machine} localUser={as} />;
  }
  if (machine !== undefined) return <Who machine={machine} localUser={as} user={user} />;
  if (user !== undefined) return <What user={user} />;
  return (
    <Empty title="Ask a question">
      With a person, a machine and a local user you get the decision, rule by rule, and what would have to
      change.
    </Empty>
  );
}

interface TraceProps {
  readonly user: string;
  readonly machine: string;
  readonly localUser: string;
}

function Trace({ user, machine, localUser }: TraceProps) {
  const query = { user, machine, local_user: localUser };
  const explanation = useQuery(reading("GET /api/policy/explain", { query }));
  return <Loaded query={explanation}>{(answer) => <Explained answer={answer} />}</Loaded>;
}

function Explained({ answer }: { readonly answer: Explanation }) {
  const isAllowed = answer.outcome === "allow";
  const canDraft = may(useMe(), "policies", "create");
  return (
    <div className="flex flex-col gap-4">
      <Card>
        <p className="flex flex-wrap items-center gap-2 text-base">
          <Badge tone={isAllowed ? "good" : "bad"}>{isAllowed ? "allowed" : "denied"}</Badge>
          <span>
            <strong>{answer.user?.name ?? "Somebody unknown"}</strong> as{" "}
            <code className="font-mono">{answer.local_user}</code> on <strong>{answer.machine.name}</strong>
          </span>
        </p>
        {answer.sentence === null ? null : <p className="mt-2">{answer.sentence}</p>}
        {answer.change === null ? null : <p className="mt-1 text-soft">To change it: {answer.change}</p>}
        {answer.draft !== null && canDraft ? <DraftLink answer={answer} /> : null}
      </Card>
      {answer.rules.length === 0 ? null : (
        <DataTable
          label="Rule by rule"
          rows={answer.rules}
          rowId={({ rule_id }) => rule_id}
          columns={RULES}
        />
      )}
    </div>
  );
}

/** Opens the editor on a rule for just this. Nothing is saved before its difference was shown there. */
function DraftLink({ answer: { user, machine, local_user } }: { readonly answer: Explanation }) {
  if (user === null) return null;
  return (
    <div className="mt-4">
      <ButtonLink
        to="/policies/new"
        search={{ user: `id:${user.id}`, machine: `id:${machine.id}`, as: local_user }}
      >
        Draft the narrowest rule
      </ButtonLink>
    </div>
  );
}

const RULES: readonly Column<Explanation["rules"][number]>[] = [
  {
    id: "rule",
    header: "Rule",
    cell: ({ policy, rule }) => (rule === "" || rule === policy ? policy : `${policy}: ${rule}`),
  },
  { id: "outcome", header: "Outcome", cell: ({ outcome }) => <Badge>{outcome.replaceAll("_", " ")}</Badge> },
  {
    id: "why",
    header: "First condition that failed",
    cell: ({ sentence, change }) => (
      <span>
        {sentence}
        {change === null ? null : <span className="block text-soft text-xs">{change}</span>}
      </span>
    ),
  },
];

interface WhoProps {
  readonly machine: string;
  readonly localUser: string | undefined;
  readonly user: string | undefined;
}

function Who({ machine, localUser, user }: WhoProps) {
  const query = { machine, ...(localUser === undefined ? {} : { local_user: localUser }) };
  const who = useQuery(reading("GET /api/policy/who", { query }));
  return (
    <Loaded query={who}>
      {({ rows, total }) => {
        const ofUser = user?.toLowerCase();
        const shown = rows.filter(
          (row) => ofUser === undefined || row.user.name.toLowerCase().includes(ofUser),
        );
        return <Rows rows={shown} total={total} none={`Nobody can be anybody on ${machine}`} />;
      }}
    </Loaded>
  );
}

function What({ user }: { readonly user: string }) {
  const what = useQuery(reading("GET /api/policy/what", { query: { user } }));
  return (
    <Loaded query={what}>
      {({ rows, total }) => <Rows rows={rows} total={total} none={`${user} can be nobody anywhere`} />}
    </Loaded>
  );
}

function waysIn(count: number): string {
  return count === 1 ? "1 way in" : `${count.toLocaleString("en")} ways in`;
}

interface RowsProps {
  readonly rows: readonly AccessRow[];
  readonly total: number;
  readonly none: string;
}

function Rows({ rows, total, none }: RowsProps) {
  if (rows.length === 0) return <Empty title={none}>No rule gives it.</Empty>;
  return (
    <>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <p role="status" className="text-soft">
          {rows.length === total ? waysIn(total) : `${rows.length} of ${waysIn(total)}`}
        </p>
        <ExportButton what="ways in" columns={CSV} rows={rows} />
      </div>
      <DataTable
        label="Access"
        rows={rows}
        rowId={(row) => `${row.user.id} ${row.machine.id} ${row.local_user}`}
        columns={ACCESS}
      />
    </>
  );
}

const CSV: readonly CsvColumn<AccessRow>[] = [
  ["person", ({ user }) => user.name],
  ["person_id", ({ user }) => user.id],
  ["machine", ({ machine }) => machine.name],
  ["machine_id", ({ machine }) => machine.id],
  ["local_user", ({ local_user }) => local_user],
  ["capabilities", ({ capabilities }) => capabilities.join("; ")],
];

const ACCESS: readonly Column<AccessRow>[] = [
  {
    id: "user",
    header: "Person",
    sortBy: ({ user }) => user.name.toLowerCase(),
    cell: ({ user }) => (
      <Link to="/people/$userId" params={{ userId: user.id }} className="text-accent hover:underline">
        <bdi>{user.name}</bdi>
      </Link>
    ),
  },
  {
    id: "machine",
    header: "Machine",
    sortBy: ({ machine }) => machine.name.toLowerCase(),
    cell: ({ machine }) => (
      <Link
        to="/machines/$machineId"
        params={{ machineId: machine.id }}
        className="text-accent hover:underline"
      >
        <bdi>{machine.name}</bdi>
      </Link>
    ),
  },
  {
    id: "as",
    header: "As",
    sortBy: ({ local_user }) => local_user,
    cell: ({ local_user }) => (
      <code className="font-mono text-xs">{local_user === "*" ? "any other" : local_user}</code>
    ),
  },
  {
    id: "may",
    header: "May",
    from: "md",
    cell: ({ capabilities }) => <May capabilities={capabilities} />,
  },
];

/** Plain words; the tooltip has the API's own. */
function May({ capabilities }: Pick<AccessRow, "capabilities">) {
  const { may, only } = accessWords(capabilities);
  return (
    <span title={capabilities.join(", ")} className="block py-1">
      {may.join(", ")}
      {only.length === 0 ? null : <span className="block text-soft text-xs">only {only.join(", ")}</span>}
    </span>
  );
}
