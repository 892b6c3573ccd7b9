/**
 * The first steps of a new account, and which of them are done. This follows from what the account has;
 * nothing is stored.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import type { StepId } from "../../terms/start-step.ts";

export interface Step {
  readonly id: StepId;
  readonly title: string;
  readonly isDone: boolean;
}

interface Known {
  readonly name: string;
  readonly peers: readonly Pick<Answer<"GET /api/peers">[number], "kind">[];
  readonly users: readonly Pick<Answer<"GET /api/users">[number], "is_service_user">[];
  readonly policies: readonly Pick<Answer<"GET /api/policies">[number], "enabled">[];
  /** Whether anyone has ever connected to a machine. */
  readonly hasConnected: boolean;
}

export function stepsOf({ name, peers, users, policies, hasConnected }: Known): Step[] {
  return [
    { id: "name", title: "Name your organisation", isDone: name !== "" },
    // The user has signed in, or they could not see this.
    { id: "sign-in", title: "Signing in", isDone: true },
    { id: "machine", title: "Add a machine", isDone: peers.some(({ kind }) => kind === "machine") },
    {
      id: "people",
      title: "Invite others",
      isDone: users.filter(({ is_service_user }) => !is_service_user).length > 1,
    },
    { id: "policy", title: "Say who may log in", isDone: policies.some(({ enabled }) => enabled) },
    { id: "login", title: "Log in to the machine", isDone: hasConnected },
  ];
}

/** The step that was asked for, or else the first open one. */
export function stepToShow(steps: readonly Step[], asked: StepId | undefined): StepId {
  return asked ?? steps.find(({ isDone }) => !isDone)?.id ?? "login";
}
