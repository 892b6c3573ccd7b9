/**
 * The parts of the policies that a change adds, edits or removes.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import { Badge } from "../../components/badge.tsx";

type Changes = Answer<"POST /api/policy/diff">["changes"];

export function PolicyChanges({ changes }: { readonly changes: Changes }) {
  return (
    <ul className="flex flex-col gap-1">
      {changes.map(({ what, change, name, rule, fields }) => (
        <li key={`${what} ${change} ${name} ${rule ?? ""}`}>
          <Badge>{change}</Badge> {what} <bdi>{rule === undefined ? name : `${name}: ${rule}`}</bdi>
          {fields === undefined || fields.length === 0 ? "" : ` (${fields.join(", ")})`}
        </li>
      ))}
    </ul>
  );
}
