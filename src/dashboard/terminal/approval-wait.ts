/**
 * Approval for a terminal: requests it, waits for the decision, and words a refusal. A pending request is
 * reused, so asking twice creates no second one.
 *
 * @module
 */
import type { AccessRequest } from "../../wire/access-request.ts";
import { ApiError, callApi } from "../api/client.ts";

/** How long one poll waits at the server, well within the time-out of a request. */
const QUESTION_SECONDS = 20;
/** Pause between polls while the server is unreachable or busy. */
const AWAY_MS = 1_000;
const TOO_MANY = 429;

/** The access that needs approval. */
export interface ApprovalSubject {
  readonly machineId: string;
  readonly deviceId: string;
  readonly localUser: string;
}

/** Requests approval. An empty `reason`: the user gave none. */
export function askApproval(about: ApprovalSubject, reason: string): Promise<AccessRequest> {
  return callApi("POST /api/access/requests", {
    body: {
      ...{ kind: "machine", machine: about.machineId, local_user: about.localUser, device: about.deviceId },
      ...(reason === "" ? {} : { reason }),
    },
  });
}

/** Waits until the request is decided. Null: `signal` ended the wait. */
export async function untilDecided(
  request: AccessRequest,
  signal: AbortSignal,
): Promise<AccessRequest | null> {
  let now = request;
  while (now.state === "waiting" && !signal.aborted) {
    try {
      now = await callApi("GET /api/access/requests/:requestId", {
        params: { requestId: request.id },
        query: { wait_seconds: String(QUESTION_SECONDS) },
        signal,
      });
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof ApiError) || (error.status !== 0 && error.status !== TOO_MANY)) throw error;
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    }
  }
  return signal.aborted ? null : now;
}

/** Withdraws the request. One that has been decided meanwhile stays as it is. */
export async function withdraw(request: AccessRequest): Promise<void> {
  await callApi("DELETE /api/access/requests/:requestId", { params: { requestId: request.id } }).catch(
    (error) => {
      if (!(error instanceof ApiError)) throw error;
    },
  );
}

/** Names those who may approve. */
export function decidersOf({ approver_groups }: Pick<AccessRequest, "approver_groups">): string {
  if (approver_groups.length === 0) return "an owner or admin";
  return `a member of ${approver_groups.map(({ name }) => name).join(" or ")}`;
}

/** The message for a request that was not approved. */
export function refusalOf({ state, note, decided_by: by }: AccessRequest): {
  readonly message: string;
  readonly hint: string | null;
} {
  if (state === "denied") {
    const who = by === null || by.name === "" ? "The approver" : by.name;
    return { message: note === "" ? `${who} denied it.` : `${who} denied it: ${note}`, hint: null };
  }
  if (state === "expired")
    return { message: "Nobody decided in time.", hint: "Connect again to ask once more." };
  if (state === "cancelled") return { message: "The request was withdrawn.", hint: null };
  return { message: "The approval has ended.", hint: "Connect again to ask once more." };
}
