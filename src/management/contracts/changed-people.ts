/**
 * People whose live sessions differ between two reports of a machine. Pure.
 *
 * @module
 */
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { UserId } from "../../wire/units.ts";

/** Ids of people whose sessions differ between `before` and `after`. Machines that sign in are left out. */
export function changedPeople(before: readonly LiveSession[], after: readonly LiveSession[]): UserId[] {
  const [old, now] = [textByPerson(before), textByPerson(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((id) => old.get(id) !== now.get(id));
}

function textByPerson(sessions: readonly LiveSession[]): Map<UserId, string> {
  const texts = new Map<UserId, string>();
  for (const session of sessions) {
    if (session.userId === null) continue;
    texts.set(session.userId, `${texts.get(session.userId) ?? ""}${JSON.stringify(session)}`);
  }
  return texts;
}
