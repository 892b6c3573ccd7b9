/**
 * The live sessions of a user, with a link to earlier ones.
 *
 * @module
 */
import { OnNowCard } from "../sessions/on-now-card.tsx";
import type { User } from "./person-words.ts";

export function PersonSessions({ user }: { readonly user: User }) {
  return (
    <OnNowCard
      of={{ user: user.id }}
      earlier={{ user: user.id }}
      none="On no machine."
      nameOf={({ machine }) => machine}
    />
  );
}
