/**
 * A badge with the state of a user or service user.
 *
 * @module
 */
import { Badge, type Tone } from "../../components/badge.tsx";
import { type PersonState as State, stateOf, type User } from "./person-words.ts";

const BADGES: Readonly<Record<State, readonly [tone: Tone, word: string]>> = {
  active: ["good", "active"],
  service: ["plain", "service user"],
  invited: ["accent", "invited"],
  waiting: ["warn", "waits for approval"],
  blocked: ["bad", "blocked"],
};

export function PersonState({ person }: { readonly person: User }) {
  const [tone, word] = BADGES[stateOf(person)];
  return <Badge tone={tone}>{word}</Badge>;
}
