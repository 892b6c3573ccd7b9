/**
 * Requests beside one: earlier ones like it, and the next that waits for the same decider.
 *
 * @module
 */
import type { Request } from "./request-words.ts";

const SIMILAR_MAX = 5;

/** The newest earlier requests of the same person for the same thing. */
export function similarBefore(request: Request, all: readonly Request[]): Request[] {
  return all
    .filter(({ id, created_at }) => id !== request.id && created_at <= request.created_at)
    .filter((one) => one.user.id === request.user.id && subjectKey(one) === subjectKey(request))
    .sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
    .slice(0, SIMILAR_MAX);
}

function subjectKey({ machine, local_user, group }: Request): string {
  return JSON.stringify([machine?.id ?? null, local_user, group?.id ?? null]);
}

/** The other requests that the user may decide, oldest first. */
export function waitingBeside(request: Request, all: readonly Request[]): Request[] {
  return all
    .filter(({ id, may_decide }) => id !== request.id && may_decide)
    .sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
}
