/**
 * The fifth step: who may log in, chosen from three options.
 *
 * @module
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, callApi } from "../../api/client.ts";
import { makeStale, reading } from "../../api/queries.ts";
import { useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, ButtonLink } from "../../components/button.tsx";
import { CardChoiceField } from "../../components/choice-field.tsx";
import { TextField } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { FailureNotice, Note } from "../../components/notice.tsx";
import { WordsField } from "../../components/words-field.tsx";
import { fileWith } from "../policies/policy-draft.ts";
import { sentenceOf } from "../policies/rule-sentence.ts";
import { type FirstChoice, type FirstPolicy, groupOf, isComplete, policyFor } from "./first-policy.ts";

const CHOICES: readonly { readonly value: FirstChoice; readonly label: string; readonly about: string }[] = [
  { value: "me", label: "You, for now", about: "A group Administrators with you in it, on every machine." },
  { value: "team", label: "A team", about: "A group with you in it, to which you add others." },
  {
    value: "everybody",
    label: "Everybody here",
    about: "Whoever signs in, as the local users that you name.",
  },
];

export function PolicyStep() {
  const policies = useQuery(reading("GET /api/policies"));
  return (
    <Loaded query={policies}>
      {(all) => {
        const enabled = all.filter((policy) => policy.enabled);
        return enabled.length > 0 ? <InForce policies={enabled} /> : <Choose />;
      }}
    </Loaded>
  );
}

function InForce({ policies }: { readonly policies: Answer<"GET /api/policies"> }) {
  return (
    <div className="flex flex-col gap-4">
      <p className="flex flex-wrap items-center gap-2">
        In force:
        {policies.map(({ id, name }) => (
          <Badge key={id} tone="good">
            {name}
          </Badge>
        ))}
      </p>
      <div>
        <ButtonLink to="/policies">See the policies</ButtonLink>
      </div>
    </div>
  );
}

function Choose() {
  const [policy, setPolicy] = useState<FirstPolicy>({ choice: "me", team: "Team", localUsers: [] });
  const { run, error, isPending } = usePut();
  const [rule] = policyFor(policy).rules;
  const complete = isComplete(policy);
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void run(policy);
      }}
    >
      <p>Without a policy nobody may log in anywhere, you included.</p>
      <CardChoiceField
        label="Who may log in"
        isLabelHidden
        value={policy.choice}
        onValue={(choice) => setPolicy({ ...policy, choice })}
        choices={CHOICES}
      />
      {policy.choice === "team" ? (
        <TextField
          label="Name of the team"
          value={policy.team}
          onValue={(team) => setPolicy({ ...policy, team })}
          maxLength={256}
        />
      ) : null}
      <WordsField
        label="Local users they may be"
        hint={
          policy.choice === "everybody"
            ? "Accounts on the machines, such as deploy."
            : "Accounts on the machines, such as deploy. Empty: all of them, but root only where the machine allows it."
        }
        values={policy.localUsers}
        onValues={(localUsers) => setPolicy({ ...policy, localUsers })}
      />
      {complete && rule !== undefined ? <Note>{sentenceOf(rule)}</Note> : null}
      {error === null ? null : <FailureNotice error={error} />}
      <div>
        <Button type="submit" weight="primary" busy={isPending} disabled={!complete}>
          Put it in force
        </Button>
      </div>
    </form>
  );
}

/** Creates the policy. Unless it is for everybody, its group is created if missing, and the user joins it. */
function usePut() {
  const me = useMe();
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const [isPending, setIsPending] = useState(false);
  const run = async (policy: FirstPolicy): Promise<void> => {
    setIsPending(true);
    setError(null);
    try {
      if (policy.choice !== "everybody") await joinGroup(groupOf(policy), me);
      const { file, version: _ } = await callApi("GET /api/policy/file");
      const next = fileWith(file, { place: -1, policy: policyFor(policy) });
      const { version, digest } = await callApi("POST /api/policy/diff", { body: { file: next, days: 0 } });
      await callApi("POST /api/policy/apply", { body: { file: next, version, digest } });
    } catch (cause) {
      setError(cause);
    } finally {
      setIsPending(false);
    }
    await makeStale(client, ["policies", "policy", "groups", "users", "my"]);
  };
  return { run, error, isPending };
}

async function joinGroup(name: string, me: ReturnType<typeof useMe>): Promise<void> {
  const groups = await callApi("GET /api/groups");
  const known = groups.find((group) => group.name === name);
  const { id } = known ?? (await callApi("POST /api/groups", { body: { name } }));
  if (me.auto_groups.includes(id)) return;
  const { role, is_blocked } = me;
  await callApi("PUT /api/users/:userId", {
    params: { userId: me.id },
    body: { role, is_blocked, auto_groups: [...me.auto_groups, id] },
  });
}
