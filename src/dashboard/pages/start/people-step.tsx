/**
 * The fourth step: inviting another person.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { reading } from "../../api/queries.ts";
import { Badge } from "../../components/badge.tsx";
import { InvitePerson } from "../people/invite-person.tsx";
import type { Account } from "./use-steps.tsx";

export function PeopleStep({ account }: { readonly account: Account }) {
  const users = useQuery(reading("GET /api/users"));
  const others = (users.data ?? []).filter((user) => !user.is_current && !user.is_service_user);
  if (account.settings.embedded_idp_enabled !== true) {
    return <p>People of your provider need no invitation: they appear here when they first sign in.</p>;
  }
  return (
    <div className="flex flex-col gap-4">
      <p>You get a link to send them. With it they choose a password that nobody else sees.</p>
      <div>
        <InvitePerson />
      </div>
      {others.length === 0 ? null : (
        <ul className="flex flex-wrap gap-1.5">
          {others.map(({ id, email, name, status }) => (
            <li key={id}>
              <Badge tone={status === "active" ? "good" : "plain"}>
                {email || name}: {status}
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
