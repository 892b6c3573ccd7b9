/**
 * The player: its screen and controls, and beside them chapters, search and typed input.
 *
 * @module
 */
import { getRouteApi } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { Cast } from "../../recording/load-cast.ts";
import { momentOf } from "../../recording/played-time.ts";
import { Moments } from "./moments.tsx";
import { PlayerControls } from "./player-controls.tsx";
import { type Pace, usePlayer } from "./use-player.tsx";

const route = getRouteApi("/sessions/$sessionId/recordings/$recordingId");
/** Longest wait that is played, in seconds, unless the user plays idle time in full. */
const IDLE_SECONDS = 2;

export function Player({ cast }: { readonly cast: Cast }) {
  const { t = 0, from } = route.useSearch();
  const navigate = route.useNavigate();
  const screen = useRef<HTMLDivElement>(null);
  const [pace, setPace] = useState<Pace>({ speed: 1, idleSeconds: IDLE_SECONDS });
  const player = usePlayer(screen, cast, pace, t);
  const keep = (seconds: number): void => {
    const moment = momentOf(seconds);
    const search = { ...(moment > 0 ? { t: moment } : {}), ...(from === undefined ? {} : { from }) };
    void navigate({ search, replace: true });
  };
  const seek = (seconds: number): void => {
    player.seek(seconds);
    keep(seconds);
  };
  const toggle = (): void => {
    if (player.isPlaying) keep(player.seconds);
    player.toggle();
  };
  return (
    <div className="grid grid-cols-1 gap-4 xl:grid-cols-[minmax(0,1fr)_22rem]">
      <section aria-label="Player" className="flex min-w-0 flex-col gap-3">
        <div ref={screen} className="min-h-40 overflow-hidden rounded-lg border border-line bg-sunken" />
        <PlayerControls
          player={{ ...player, toggle, seek }}
          pace={pace}
          onPace={setPace}
          idleSeconds={IDLE_SECONDS}
        />
      </section>
      <Moments shown={cast.shown} seconds={player.seconds} onSeek={seek} />
    </div>
  );
}
