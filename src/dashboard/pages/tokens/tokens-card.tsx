/**
 * API tokens of the user or of a service user: a list, creating one that is shown once, deleting.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { useToast } from "../../components/toasts.tsx";
import { useListTerms } from "../../components/use-list-terms.tsx";
import { NewToken, type TokensOf } from "./new-token.tsx";

type Token = Answer<"GET /api/users/:userId/tokens">[number];

export function TokensCard({ user }: { readonly user: TokensOf }) {
  const me = useMe();
  const [terms, put] = useListTerms();
  const tokens = useQuery(reading("GET /api/users/:userId/tokens", { params: { userId: user.id } }));
  const canChange = user.is_current || may(me, "users", "update");
  const canMake = user.is_current || (user.is_service_user && canChange);
  const canDelete = canChange && (user.is_current || user.role !== "owner" || me.role === "owner");
  return (
    <Card
      title="Tokens"
      actions={
        canMake ? (
          <Button size="small" onClick={() => put({ do: "token" })}>
            New token
          </Button>
        ) : null
      }
    >
      <Loaded query={tokens} rows={2}>
        {(all) =>
          all.length === 0 ? (
            <p className="text-soft">{noneText(user)}</p>
          ) : (
            <ul className="-my-1 flex flex-col divide-y divide-line">
              {all.map((token) => (
                <TokenRow key={token.id} token={token} userId={user.id} canDelete={canDelete} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <NewToken user={user} isOpen={canMake && terms.do === "token"} onClose={() => put({ do: "" })} />
    </Card>
  );
}

const SCOPES = { api: "API", ssh: "SSH", dangerous: "API, dangerous" } as const;

function noneText({ is_service_user, is_current }: TokensOf): string {
  if (is_service_user) return "No token yet, so it cannot sign in anywhere.";
  return is_current ? "No token. Make one for the API or the command line." : "No token of their own.";
}

interface TokenRowProps {
  readonly token: Token;
  readonly userId: string;
  readonly canDelete: boolean;
}

function TokenRow({ token, userId, canDelete }: TokenRowProps) {
  const [asks, setAsks] = useState(false);
  const remove = useChange("DELETE /api/users/:userId/tokens/:tokenId");
  const tell = useToast();
  const isOver = Date.parse(token.expiration_date) <= Date.now();
  return (
    <li className="flex min-h-11 items-center justify-between gap-3 py-2">
      <span className="min-w-0">
        <span className="flex flex-wrap items-center gap-2">
          <bdi className="font-medium">{token.name}</bdi>
          <Badge tone={token.scope === "dangerous" ? "warn" : "plain"}>{SCOPES[token.scope ?? "api"]}</Badge>
          {isOver ? <Badge tone="bad">expired</Badge> : null}
        </span>
        <span className="block text-soft text-xs">
          {isOver ? "ended" : "ends"} <Time iso={token.expiration_date} exact />, last used{" "}
          <Time iso={token.last_used} />
        </span>
      </span>
      {canDelete ? (
        <Button size="small" aria-label={`Delete ${token.name}`} onClick={() => setAsks(true)}>
          Delete
        </Button>
      ) : null}
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={`Delete ${token.name}?`}
        verb="Delete"
        onConfirm={async () => {
          await remove.mutateAsync({ params: { userId, tokenId: token.id } });
          tell(`${token.name} was deleted.`);
        }}
      >
        <p>
          What uses it is refused from now on.
          {token.scope === "ssh" ? " Connections that began with it end." : ""}
        </p>
      </ConfirmDialog>
    </li>
  );
}
