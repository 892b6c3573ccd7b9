/**
 * The owner of a machine or device, linked to their page.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";

export function PeerOwner({ userId }: { readonly userId: string }) {
  const users = useQuery(reading("GET /api/users"));
  const owner = users.data?.find(({ id }) => id === userId);
  return (
    <Link to="/people/$userId" params={{ userId }} className="text-accent hover:underline">
      <bdi>{users.isPending ? "…" : owner === undefined ? userId : owner.name || owner.email}</bdi>
    </Link>
  );
}
