/**
 * The page of one user or service user: profile, groups, devices, sessions and tokens, and the actions on
 * them.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { seesAccount, useMe } from "../../app/me.ts";
import { Card, Facts } from "../../components/card.tsx";
import { Detail, Gone } from "../../components/detail.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { TokensCard } from "../tokens/tokens-card.tsx";
import { PersonActions } from "./person-actions.tsx";
import { PersonDevices } from "./person-devices.tsx";
import { PersonGroups } from "./person-groups.tsx";
import { PersonSessions } from "./person-sessions.tsx";
import { PersonState } from "./person-state.tsx";
import { nameOf, type User } from "./person-words.ts";

const route = getRouteApi("/people/$userId");
const BACK = { to: "/people", label: "All people" } as const;
const WHY_GONE = "They were deleted, or the link is not right. The audit log says when, and by whom.";

export function PersonPage() {
  const { userId } = route.useParams();
  const users = useQuery(reading("GET /api/users"));
  return (
    <Detail query={users} what="person" back={BACK} gone={WHY_GONE}>
      {(all) => {
        const user = all.find(({ id }) => id === userId);
        if (user === undefined) {
          return (
            <Gone what="person" back={BACK}>
              {WHY_GONE}
            </Gone>
          );
        }
        return <Shown key={user.id} user={user} />;
      }}
    </Detail>
  );
}

function Shown({ user }: { readonly user: User }) {
  return (
    <>
      <PageHeader
        title={nameOf(user)}
        about={
          <span className="flex flex-wrap items-center gap-2">
            <PersonState person={user} />
            {user.is_current ? <span>This is you.</span> : null}
            <span>
              {user.is_service_user ? "Last used" : "Last sign-in"}: <Time iso={user.last_login} />
            </span>
          </span>
        }
        actions={<PersonActions user={user} />}
      />
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-4">
          <About user={user} />
          <PersonGroups user={user} />
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <PersonSessions user={user} />
          <PersonDevices user={user} />
          <TokensCard user={user} />
        </div>
      </div>
    </>
  );
}

function About({ user }: { readonly user: User }) {
  const me = useMe();
  const question = user.email || user.id;
  return (
    <Card
      title="About"
      actions={
        seesAccount(me) ? (
          <span className="flex flex-wrap gap-x-4">
            <Link to="/access" search={{ user: question }} className="text-accent hover:underline">
              What they may reach
            </Link>
            <Link to="/audit" search={{ user: user.id }} className="text-accent hover:underline">
              Activity
            </Link>
          </span>
        ) : null
      }
    >
      <Facts
        facts={[
          ["E-mail", user.email === "" ? null : user.email],
          ["Role", user.role],
          ["Kind", user.is_service_user ? "service user, for automation" : "person"],
          [
            user.is_service_user ? "Last used" : "Last sign-in",
            <Time key="last" iso={user.last_login} exact />,
          ],
          [
            "Id",
            <code key="id" className="font-mono text-xs">
              {user.id}
            </code>,
          ],
        ]}
      />
    </Card>
  );
}
