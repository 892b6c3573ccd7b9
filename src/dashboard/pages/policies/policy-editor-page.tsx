/**
 * The policy editor: each rule as a form under its sentence, and beside it what saving would change, for
 * whom.
 *
 * The draft is kept in this tab. Nothing is saved before its difference was shown.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { useDraft } from "../../browser/draft.ts";
import { ButtonLink } from "../../components/button.tsx";
import { Detail, Gone } from "../../components/detail.tsx";
import { type Read, together } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import {
  draftOf,
  type File,
  type FilePolicy,
  isEdited,
  newDraft,
  type PolicyDraft,
  placeInFile,
} from "./policy-draft.ts";
import { PolicyEditor } from "./policy-editor.tsx";
import { PolicySource } from "./policy-source.tsx";
import type { Choices } from "./rule-part.ts";
import { usePolicyFile } from "./use-difference.tsx";

const edit = getRouteApi("/policies/$policyId");
const create = getRouteApi("/policies/new");
const BACK = { to: "/policies", label: "All policies" } as const;

export function PolicyPage() {
  const { policyId } = edit.useParams();
  return <Opened key={policyId} policyId={policyId} />;
}

export function NewPolicyPage() {
  const { copy, ...refused } = create.useSearch();
  const { user, machine, as } = refused;
  if (user !== undefined && machine !== undefined && as !== undefined)
    return <Drafted {...{ user, machine, as }} />;
  return <Opened key={copy ?? ""} policyId={null} {...(copy === undefined ? {} : { copy })} />;
}

interface Refused {
  readonly user: string;
  readonly machine: string;
  readonly as: string;
}

/** A new policy with the narrowest rule for what was refused. */
function Drafted({ user, machine, as }: Refused) {
  const answer = useQuery(reading("GET /api/policy/explain", { query: { user, machine, local_user: as } }));
  return (
    <Detail query={answer} what="answer" back={BACK} gone="Ask again on the page Access.">
      {({ draft, machine: { name } }) =>
        draft === null ? (
          <Gone what="draft" back={BACK}>
            No rule is needed for it any more, or none would help.
          </Gone>
        ) : (
          <Opened policyId={null} seed={{ name: `${as} on ${name}`, rules: [draft] }} />
        )
      }
    </Detail>
  );
}

interface OpenedProps {
  readonly policyId: string | null;
  readonly copy?: string;
  /** What a new policy begins with. */
  readonly seed?: FilePolicy;
}

function Opened({ policyId, copy, seed }: OpenedProps) {
  const read = together(usePolicyFile(), useQuery(reading("GET /api/policies")), useChoices());
  return (
    <Detail query={read} what="policy" back={BACK} gone="It may have been deleted meanwhile.">
      {([{ file }, policies, choices]) => (
        <Draft {...{ file, policies, policyId, choices }} copy={copy ?? null} seed={seed ?? null} />
      )}
    </Detail>
  );
}

interface DraftProps {
  readonly file: File;
  readonly policies: Answer<"GET /api/policies">;
  readonly policyId: string | null;
  readonly copy: string | null;
  readonly seed: FilePolicy | null;
  readonly choices: Choices;
}

function Draft({ file, policies, policyId, copy, seed, choices }: DraftProps) {
  const [stored, setStored] = useDraft<PolicyDraft>(
    `qf-policy:${policyId ?? "new"}${copy ?? seed?.name ?? ""}`,
  );
  const current = entryOf(file, policies, policyId);
  const copied = entryOf(file, policies, copy);
  if (policyId !== null && current.policy === null && stored === null) {
    return (
      <Gone what="policy" back={BACK}>
        It was deleted, or the link is not right. The audit log says when, and by whom.
      </Gone>
    );
  }
  const names = new Set((file.policies ?? []).map(({ name }) => name));
  const initial = current.policy === null ? newDraft(seed ?? copied.policy, names) : draftOf(current.policy);
  return (
    <>
      <PageHeader
        title={current.policy?.name ?? newTitle(copied.policy, seed)}
        about="Nothing is in force before it is saved."
        actions={<ButtonLink to="/policies">All policies</ButtonLink>}
      />
      <PolicySource />
      <PolicyEditor
        file={file}
        place={current.place}
        current={current.policy}
        policyId={policyId}
        draft={stored ?? initial}
        isStored={stored !== null}
        isSeeded={seed !== null}
        onDraft={(draft) => setStored(draft !== null && isEdited(draft) ? draft : null)}
        choices={choices}
      />
    </>
  );
}

function newTitle(copied: FilePolicy | null, seed: FilePolicy | null): string {
  if (seed !== null) return "Draft from a refusal";
  return copied === null ? "New policy" : "Copy of a policy";
}

function entryOf(
  file: File,
  policies: Answer<"GET /api/policies">,
  id: string | null,
): { readonly place: number; readonly policy: FilePolicy | null } {
  const known = policies.find((policy) => policy.id === id);
  const place = known === undefined ? -1 : placeInFile(file, known);
  return { place, policy: file.policies?.[place] ?? null };
}

/** Choices for the form's fields. Only the groups have to be loaded. */
function useChoices(): Read<Choices> {
  const groups = useQuery(reading("GET /api/groups"));
  const peers = useQuery(reading("GET /api/peers"));
  const checks = useQuery(reading("GET /api/posture-checks"));
  const { error, refetch } = groups;
  if (groups.data === undefined) return { data: undefined, error, refetch };
  const data: Choices = {
    groups: groups.data.map(({ name, peers_count }) => ({
      name,
      note: peers_count === 1 ? "1 peer" : `${peers_count.toLocaleString("en")} peers`,
    })),
    machines: (peers.data ?? []).map(({ name, kind }) => ({
      name,
      ...(kind === undefined ? {} : { note: kind }),
    })),
    postureChecks: (checks.data ?? []).map(({ name }) => ({ name })),
  };
  return { data, error, refetch };
}
