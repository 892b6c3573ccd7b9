/**
 * Policies, each with what its rules mean in plain English, and the way to the file in which they are edited.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { ruleSentence } from "./rule-sentence.ts";

type Policy = Answer<"GET /api/policies">[number];

export function PoliciesPage() {
  const policies = useQuery(reading("GET /api/policies"));
  const groups = useQuery(reading("GET /api/groups"));
  const me = useMe();
  const edit = (
    <ButtonLink to="/policies/file" weight="primary">
      {may(me, "policies", "update") ? "Edit as a file" : "See as a file"}
    </ButtonLink>
  );
  return (
    <>
      <PageHeader
        title="Policies"
        about="What none allows is denied. Order decides nothing: a rule that drops wins over all others."
        actions={edit}
      />
      <Loaded query={policies}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No policy yet, so nobody may log in anywhere" action={edit}>
              A policy says which people may log in to which machines, and as whom.
            </Empty>
          ) : (
            <ul className="flex flex-col gap-3">
              {all.map((policy) => (
                <li key={policy.id}>
                  <PolicyCard policy={policy} groups={groups.data ?? []} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </>
  );
}

interface PolicyCardProps {
  readonly policy: Policy;
  readonly groups: Answer<"GET /api/groups">;
}

function PolicyCard({ policy, groups }: PolicyCardProps) {
  const nameOf = (id: string): string => groups.find((group) => group.id === id)?.name ?? id;
  return (
    <Card
      title={policy.name}
      actions={policy.enabled ? <Badge tone="good">in force</Badge> : <Badge>switched off</Badge>}
    >
      {policy.description === "" ? null : <p className="mb-2 text-soft">{policy.description}</p>}
      <ul className="flex flex-col gap-2">
        {policy.rules.map((rule) => (
          <li key={rule.id} className="flex flex-wrap items-start gap-2">
            {rule.enabled ? null : <Badge>off</Badge>}
            <span>{ruleSentence(rule, nameOf)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
