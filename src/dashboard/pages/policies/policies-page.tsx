/**
 * The list of policies, each with its rules in plain English, and the actions on it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { Badge } from "../../components/badge.tsx";
import { ButtonLink, IconButton } from "../../components/button.tsx";
import { classes } from "../../components/class-names.ts";
import { SelectField } from "../../components/field.tsx";
import { filtered } from "../../components/filtered.ts";
import { Loaded, together } from "../../components/loaded.tsx";
import { Menu } from "../../components/menu.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { SearchBox } from "../../components/search-box.tsx";
import { useListTerms } from "../../components/use-list-terms.tsx";
import { type AskedChange, PolicyChange } from "./policy-change.tsx";
import { type File, fileWith, placeInFile, withField } from "./policy-draft.ts";
import { PolicySource, useCanChange } from "./policy-source.tsx";
import { ruleSentence } from "./rule-sentence.ts";
import { RuleUsage, type RuleUses, useRuleUses } from "./rule-usage.tsx";
import { usePolicyFile } from "./use-difference.tsx";

type Policy = Answer<"GET /api/policies">[number];

/** A filter box appears from this many policies on. */
const FILTER_FROM = 5;
const [EVERY, UNUSED] = ["every", "unused"];
const USES = [
  { value: EVERY, label: "Used or not" },
  { value: UNUSED, label: "With a rule unused for 90 days" },
];

export function PoliciesPage() {
  const policies = useQuery(reading("GET /api/policies"));
  const groups = useQuery(reading("GET /api/groups"));
  const canCreate = useCanChange();
  const create = (
    <ButtonLink to="/policies/new" weight="primary">
      New policy
    </ButtonLink>
  );
  return (
    <>
      <PageHeader
        title="Policies"
        about="What no rule allows is denied. A rule that denies overrides all others, in whatever order."
        actions={
          <>
            <ButtonLink to="/policies/tests">Tests</ButtonLink>
            <ButtonLink to="/policies/file">As a file</ButtonLink>
            <ButtonLink to="/policies/history">History</ButtonLink>
            {canCreate ? create : null}
          </>
        }
      />
      <PolicySource />
      <Loaded query={together(policies, groups)}>
        {([all, known]) =>
          all.length === 0 ? (
            <Empty
              title="No policy yet, so nobody may log in anywhere"
              {...(canCreate ? { action: create } : {})}
            >
              A policy says which people may log in to which machines, and as whom.
            </Empty>
          ) : (
            <PolicyList policies={all} groups={known} />
          )
        }
      </Loaded>
    </>
  );
}

interface PolicyListProps {
  readonly policies: readonly Policy[];
  readonly groups: Answer<"GET /api/groups">;
}

function PolicyList({ policies, groups }: PolicyListProps) {
  const file = usePolicyFile();
  const uses = useRuleUses();
  const [{ q = "", state }, put] = useListTerms();
  const [change, setChange] = useState<AskedChange | null>(null);
  const nameOf = (id: string): string => groups.find((group) => group.id === id)?.name ?? id;
  const sentences = (policy: Policy) => policy.rules.map((rule) => ruleSentence(rule, nameOf));
  const isUnused = (policy: Policy) => policy.rules.some(({ id }) => uses?.get(id)?.unused === true);
  const chosen = state === UNUSED ? policies.filter(isUnused) : policies;
  const shown = filtered(chosen, q, (policy) => [policy.name, policy.description, ...sentences(policy)]);
  const canFilter = policies.length >= FILTER_FROM || state !== undefined || policies.some(isUnused);
  const canEdit = useCanChange();
  return (
    <>
      {canFilter ? (
        <SearchBox
          label="Filter policies"
          value={q}
          onValue={(value) => put({ q: value })}
          shown={shown.length}
          total={policies.length}
        >
          <SelectField
            label="Use"
            isLabelHidden
            value={state === UNUSED ? UNUSED : EVERY}
            onValue={(value) => put({ state: value === EVERY ? undefined : value })}
            choices={USES}
          />
        </SearchBox>
      ) : null}
      {shown.length === 0 ? <Empty title="No policy matches">Remove a filter, or type less.</Empty> : null}
      <ul className="flex flex-col gap-3">
        {shown.map((policy) => (
          <li key={policy.id}>
            <PolicyCard
              policy={policy}
              sentences={sentences(policy)}
              file={file.data?.file ?? null}
              canEdit={canEdit}
              uses={uses}
              onChange={setChange}
            />
          </li>
        ))}
      </ul>
      <PolicyChange change={change} onClose={() => setChange(null)} />
    </>
  );
}

interface PolicyCardProps {
  readonly policy: Policy;
  readonly sentences: readonly string[];
  /** Null while it is loading. */
  readonly file: File | null;
  readonly canEdit: boolean;
  readonly uses: RuleUses;
  readonly onChange: (change: AskedChange) => void;
}

function PolicyCard({ policy, sentences, file, canEdit, uses, onChange }: PolicyCardProps) {
  return (
    <section className="rounded-lg border border-line bg-card p-4 sm:px-5">
      <div className="flex items-center justify-between gap-3">
        <div className="min-w-0">
          <h2 className="font-semibold text-base">
            <Link
              to="/policies/$policyId"
              params={{ policyId: policy.id }}
              className="text-accent hover:underline"
            >
              <bdi>{policy.name}</bdi>
            </Link>
          </h2>
          {policy.description === "" ? null : <p className="text-soft">{policy.description}</p>}
        </div>
        <div className="flex shrink-0 items-center gap-2">
          {policy.enabled ? <Badge tone="good">in force</Badge> : <Badge>off</Badge>}
          {canEdit ? (
            <div className="size-9 pointer-coarse:size-11">
              {file === null ? null : <PolicyMenu policy={policy} file={file} onChange={onChange} />}
            </div>
          ) : null}
        </div>
      </div>
      <ul className="mt-2 flex flex-col gap-2">
        {policy.rules.map((rule, i) => (
          <li key={rule.id} className="flex flex-wrap items-start gap-2">
            {rule.enabled ? null : <Badge>off</Badge>}
            <span
              className={classes("max-w-4xl text-pretty", !(policy.enabled && rule.enabled) && "text-soft")}
            >
              {sentences[i]}
              <RuleUsage uses={uses} rule={rule} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function PolicyMenu({
  policy,
  file,
  onChange,
}: Pick<PolicyCardProps, "policy" | "onChange"> & { readonly file: File }) {
  const navigate = useNavigate();
  const place = placeInFile(file, policy);
  const entry = file.policies?.[place];
  if (entry === undefined) return null;
  const { id, name, enabled } = policy;
  const switched = withField(entry, "enabled", enabled ? false : undefined);
  return (
    <Menu
      trigger={
        <IconButton label={`Actions of ${name}`}>
          <Ellipsis size={18} aria-hidden="true" />
        </IconButton>
      }
      actions={[
        {
          label: "Edit",
          onSelect: () => void navigate({ to: "/policies/$policyId", params: { policyId: id } }),
        },
        { label: "Copy", onSelect: () => void navigate({ to: "/policies/new", search: { copy: id } }) },
        {
          label: enabled ? "Switch off" : "Switch on",
          onSelect: () =>
            onChange({
              title: enabled ? `Switch ${name} off?` : `Switch ${name} on?`,
              verb: enabled ? "Switch off" : "Switch on",
              done: enabled ? `${name} is off.` : `${name} is in force.`,
              file: fileWith(file, { place, policy: switched, id }),
            }),
        },
        null,
        {
          label: "Delete",
          danger: true,
          onSelect: () =>
            onChange({
              title: `Delete ${name}?`,
              verb: "Delete",
              done: `${name} was deleted.`,
              file: fileWith(file, { place, policy: null }),
            }),
        },
      ]}
    />
  );
}
