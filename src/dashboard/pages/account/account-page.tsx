/**
 * The signed-in user's own page: their profile, and the browsers they are signed in from.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { TokensCard } from "../tokens/tokens-card.tsx";
import { browserName } from "./browser-name.ts";
import { PasswordCard } from "./password-card.tsx";

type Session = Answer<"GET /api/web-sessions">[number];

export function AccountPage() {
  const me = useMe();
  const sessions = useQuery(reading("GET /api/web-sessions"));
  return (
    <>
      <PageHeader title="My account" />
      <div className="flex flex-col gap-4">
        <Card title="Me">
          <Facts
            facts={[
              ["Name", me.name],
              ["E-mail", me.email === "" ? null : me.email],
              ["Role", me.role],
              ["Last sign-in", <Time key="last" iso={me.last_login} exact />],
            ]}
          />
        </Card>
        <Card title="Signed in to the dashboard">
          <Loaded query={sessions} rows={2}>
            {(rows) => <DataTable label="My sessions" rows={rows} rowId={({ id }) => id} columns={COLUMNS} />}
          </Loaded>
        </Card>
        <TokensCard user={me} />
        <PasswordCard />
      </div>
    </>
  );
}

const COLUMNS: readonly Column<Session>[] = [
  {
    id: "browser",
    header: "Browser",
    cell: ({ browser }) => <span className="line-clamp-1">{browserName(browser)}</span>,
  },
  {
    id: "source",
    header: "From",
    cell: ({ source_address }) => <span className="whitespace-nowrap">{source_address}</span>,
  },
  { id: "since", header: "Since", from: "md", cell: ({ created_at }) => <Time iso={created_at} /> },
  { id: "seen", header: "Last used", from: "md", cell: ({ last_seen }) => <Time iso={last_seen} /> },
  { id: "end", header: "End it", isActions: true, cell: (session) => <End session={session} /> },
];

function End({ session }: { readonly session: Session }) {
  const end = useChange("DELETE /api/web-sessions/:sessionId");
  if (session.current) return <Badge tone="accent">this one</Badge>;
  return (
    <Button
      size="small"
      busy={end.isPending}
      onClick={() => void end.mutateAsync({ params: { sessionId: session.id } })}
    >
      Sign out
    </Button>
  );
}
