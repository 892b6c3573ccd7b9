/**
 * Runs the player of a recording inside an element. Times are seconds of the recording, even if idle time is
 * cut.
 *
 * @module
 */
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Cast } from "../../recording/load-cast.ts";
import { PlayedTime } from "../../recording/played-time.ts";
import type { PlayerScreen, PlayerWishes } from "../../recording/player-screen.ts";

export interface Pace {
  readonly speed: number;
  /** Longest wait between two events, in seconds. */
  readonly idleSeconds: number;
}

export interface PlayerState {
  readonly seconds: number;
  readonly isPlaying: boolean;
  readonly end: number;
  toggle(): void;
  seek(seconds: number): void;
}

/** How often the page reads the player's position, in milliseconds. */
const LOOK_MS = 200;

export function usePlayer(
  element: RefObject<HTMLElement | null>,
  cast: Cast,
  { speed, idleSeconds }: Pace,
  from: number,
): PlayerState {
  const time = useMemo(() => new PlayedTime(cast.events, idleSeconds), [cast, idleSeconds]);
  const [seconds, setSeconds] = useState(from);
  const [isPlaying, setIsPlaying] = useState(false);
  const screen = useRef<PlayerScreen | null>(null);
  // Position and playing state, for the player that replaces this one when the pace changes.
  const last = useRef({ seconds: from, isPlaying: false });
  last.current = { seconds, isPlaying };

  useEffect(() => {
    // Read when the player's code has loaded, because the user may seek before that.
    const wishes = () => ({ from: time.played(last.current.seconds), plays: last.current.isPlaying });
    return openLater(element.current, screen, { cast, time, speed, onPlaying: setIsPlaying, wishes });
  }, [element, cast, time, speed]);

  useEffect(() => {
    if (!isPlaying) return;
    const look = (): void => {
      if (screen.current !== null) setSeconds(time.recorded(screen.current.seconds));
    };
    const timer = setInterval(look, LOOK_MS);
    return () => {
      clearInterval(timer);
      look();
    };
  }, [isPlaying, time]);

  const seek = useCallback(
    (to: number): void => {
      setSeconds(to);
      last.current = { ...last.current, seconds: to };
      screen.current?.seek(time.played(to));
    },
    [time],
  );
  const toggle = useCallback((): void => {
    if (last.current.isPlaying) {
      screen.current?.pause();
      return;
    }
    if (last.current.seconds >= time.end) seek(0);
    screen.current?.play();
  }, [seek, time]);
  return { seconds, isPlaying, end: time.end, toggle, seek };
}

interface Opening extends Pick<PlayerWishes, "speed" | "onPlaying"> {
  readonly cast: Cast;
  readonly time: PlayedTime;
  wishes(): Pick<PlayerWishes, "from" | "plays">;
}

/** Opens the player once its code has loaded. The returned function closes it, or stops it from opening. */
function openLater(
  parent: HTMLElement | null,
  screen: RefObject<PlayerScreen | null>,
  { cast, time, speed, wishes, ...opening }: Opening,
): () => void {
  let isOver = false;
  const begin = async (): Promise<void> => {
    const { openPlayerScreen } = await import("../../recording/player-screen.ts");
    if (isOver || parent === null) return;
    const onPlaying = (isPlaying: boolean): void => {
      if (!isOver) opening.onPlaying(isPlaying);
    };
    screen.current = openPlayerScreen(parent, cast, time, { speed, onPlaying, ...wishes() });
  };
  void begin();
  return () => {
    isOver = true;
    screen.current?.close();
    screen.current = null;
  };
}
