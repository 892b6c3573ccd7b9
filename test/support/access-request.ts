/** A request for access as it is stored: approved, for a group, unless a test says otherwise. */
import { newId } from "../../src/base/random.ts";
import type { AccessRequestRow } from "../../src/management/db/tables/access-requests.ts";

export function anAccessRequest(
  change: Partial<AccessRequestRow> & Pick<AccessRequestRow, "accountId" | "userId">,
): AccessRequestRow {
  const farAway = 4_000_000_000;
  return {
    ...{ id: newId(), kind: "group", state: "approved", devicePeerId: null, machinePeerId: null },
    ...{ localUser: null, ruleId: null, groupId: null, terms: "", reason: "a repair", seconds: 3_600 },
    ...{ createdAt: 1_000, waitsUntil: farAway, decidedAt: 1_000, decidedBy: null, note: "" },
    ...{ endsAt: farAway, endedAt: null, endCause: null },
    ...change,
  };
}
