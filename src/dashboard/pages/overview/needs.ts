/**
 * Items that need an administrator's attention, each with the page that settles it.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import { isInState, type MachineFilter } from "../../terms/machine-terms.ts";

type Peer = Answer<"GET /api/peers">[number];
type User = Answer<"GET /api/users">[number];
type Rollout = Answer<"GET /api/rollouts">[number];
type SetupKey = Answer<"GET /api/setup-keys">[number];

export interface Need {
  readonly id: string;
  readonly text: string;
  readonly to: "/requests" | "/machines" | "/devices" | "/people" | "/setup-keys" | "/rollouts";
  readonly search: { readonly state?: MachineFilter | "valid" };
  readonly tone: "warn" | "bad";
}

interface Account {
  readonly peers: readonly Peer[];
  readonly users: readonly User[];
  readonly keys: readonly SetupKey[];
  readonly rollouts: readonly Rollout[];
  /** Number of access requests that the user may decide. */
  readonly requests: number;
  readonly nowMs: number;
}

const SOON_MS = 7 * 86_400_000;

/** The open items. Empty if there are none. */
export function needsOf({ peers, users, keys, rollouts, requests, nowMs }: Account): Need[] {
  const machines = peers.filter(({ kind }) => kind === "machine");
  const waiting = machines.filter(({ approval_required }) => approval_required);
  const devices = peers.filter(({ kind, approval_required }) => kind !== "machine" && approval_required);
  const people = users.filter(({ pending_approval }) => pending_approval);
  const lost = machines.filter((peer) => isInState(peer, "lost", nowMs));
  const halted = rollouts.filter(({ state }) => state === "halted");
  const endless = keys.filter(({ state, expires }) => state === "valid" && expires.startsWith("0001"));
  const ending = keys.filter(({ state, type, expires }) => {
    const left = Date.parse(expires) - nowMs;
    return state === "valid" && type === "reusable" && left > 0 && left < SOON_MS;
  });
  const all: (Need | null)[] = [
    need(requests, "request for access", "requests for access", {
      ...{ id: "requests", to: "/requests", tone: "warn", said: " to decide" },
    }),
    need(people.length, "person waits", "people wait", {
      ...{ id: "people", to: "/people", tone: "warn" },
      search: { state: "waiting" },
    }),
    need(waiting.length, "machine waits", "machines wait", {
      ...{ id: "machines", to: "/machines", tone: "warn" },
      search: { state: "waiting" },
    }),
    need(devices.length, "device waits", "devices wait", {
      ...{ id: "devices", to: "/devices", tone: "warn" },
      search: { state: "waiting" },
    }),
    need(lost.length, "machine not seen for 30 days", "machines not seen for 30 days", {
      ...{ id: "lost", to: "/machines", tone: "warn", said: "" },
      search: { state: "lost" },
    }),
    need(halted.length, "rollout halted", "rollouts halted", {
      ...{ id: "rollouts", to: "/rollouts", tone: "bad", said: "" },
    }),
    need(ending.length, "setup key ends", "setup keys end", {
      ...{ id: "keys", to: "/setup-keys", tone: "warn", said: " within a week" },
      search: { state: "valid" },
    }),
    need(endless.length, "setup key has", "setup keys have", {
      ...{ id: "endless", to: "/setup-keys", tone: "warn", said: " no end" },
      search: { state: "valid" },
    }),
  ];
  return all.filter((one) => one !== null);
}

interface About extends Pick<Need, "id" | "to" | "tone"> {
  readonly search?: Need["search"];
  readonly said?: string;
}

function need(count: number, one: string, many: string, about: About): Need | null {
  if (count === 0) return null;
  const { said = " for approval", search = {}, ...rest } = about;
  const what = count === 1 ? one : many;
  return { ...rest, search, text: `${count.toLocaleString("en")} ${what}${said}` };
}
