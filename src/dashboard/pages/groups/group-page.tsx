/**
 * The page of one group: its machines, devices and people, and what uses it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { Detail } from "../../components/detail.tsx";
import { durationText } from "../../components/durations.ts";
import { Loaded } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Section } from "../../components/section.tsx";
import { DeleteGroup } from "./delete-group.tsx";
import { type Group, GroupDialog } from "./group-dialog.tsx";
import { GroupMembers } from "./group-members.tsx";
import { GroupPeople } from "./group-people.tsx";
import { requireText } from "./group-require.ts";
import { GroupUsesList } from "./group-uses-list.tsx";
import { useGroupUses } from "./use-group-uses.tsx";

const route = getRouteApi("/groups/$groupId");
const BACK = { to: "/groups", label: "All groups" } as const;

export function GroupPage() {
  const params = route.useParams();
  const group = useQuery(reading("GET /api/groups/:groupId", { params }));
  return (
    <Detail
      query={group}
      what="group"
      back={BACK}
      gone="It was deleted, or the link is not right. The audit log says when, and by whom."
    >
      {(known) => <Shown key={known.id} group={known} />}
    </Detail>
  );
}

function Shown({ group }: { readonly group: Group }) {
  const me = useMe();
  const canChange = may(me, "groups", "update") && group.name !== "All";
  return (
    <>
      <PageHeader
        title={group.name}
        about={aboutText(group)}
        actions={canChange ? <Actions group={group} /> : null}
      />
      <div className="flex flex-col gap-7">
        <Uses group={group} />
        {group.name === "All" ? null : (
          <GroupPeople group={group} canChange={canChange && may(me, "users", "update")} />
        )}
        <GroupMembers group={group} canChange={canChange} />
      </div>
    </>
  );
}

function aboutText({ name, require, ...terms }: Group): string {
  if (name === "All") return "Every machine, device and person is in it. It cannot be changed.";
  const required = requireText(require);
  return [requestText(terms), required && `Logins at its machines, whatever a policy says: ${required}.`]
    .filter(Boolean)
    .join(" ");
}

function requestText({ requestable, request_seconds_max }: Omit<Group, "name" | "require">): string {
  if (requestable !== true) return "Policies, setup keys and approvals refer to it by name.";
  const most = request_seconds_max === undefined ? "" : `, for at most ${durationText(request_seconds_max)}`;
  return `People may ask to be in it for a while${most}.`;
}

function Actions({ group }: { readonly group: Group }) {
  const [isOpen, setIsOpen] = useState(false);
  const me = useMe();
  const groups = useQuery(reading("GET /api/groups"));
  const users = useQuery(reading("GET /api/users"));
  const uses = useGroupUses();
  const people = (users.data ?? []).filter(({ auto_groups }) => auto_groups.includes(group.id)).length;
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>Edit</Button>
      {may(me, "groups", "delete") && uses.data !== undefined && users.data !== undefined ? (
        <DeleteGroup group={group} people={people} uses={uses.data(group.id)} size="normal" leads />
      ) : null}
      {isOpen ? (
        <GroupDialog group={group} groups={groups.data ?? []} onClose={() => setIsOpen(false)} />
      ) : null}
    </>
  );
}

function Uses({ group }: { readonly group: Group }) {
  const uses = useGroupUses();
  return (
    <Section title="Used by">
      <Loaded query={uses} rows={2}>
        {(usesOf) => {
          const all = usesOf(group.id);
          return all.length === 0 ? (
            <p className="text-soft">Nothing. No policy speaks of it, so being in it changes nothing.</p>
          ) : (
            <GroupUsesList uses={all} />
          );
        }}
      </Loaded>
    </Section>
  );
}
