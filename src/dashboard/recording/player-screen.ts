/**
 * Wrapper of asciinema-player: a screen, and a clock that can be moved. Loaded when a recording is opened.
 *
 * @module
 */
import { create } from "asciinema-player";
import type { Cast } from "./load-cast.ts";
import type { PlayedTime } from "./played-time.ts";

export interface PlayerScreen {
  /** Seconds of playback. */
  readonly seconds: number;
  play(): void;
  pause(): void;
  seek(seconds: number): void;
  close(): void;
}

export interface PlayerWishes {
  readonly speed: number;
  /** Where playback starts, in seconds of playback. */
  readonly from: number;
  readonly plays: boolean;
  readonly onPlaying: (isPlaying: boolean) => void;
}

/**
 * Opens a player in `element`. Its times are playback times of `time`, so that only one place cuts idle
 * periods.
 */
export function openPlayerScreen(
  element: HTMLElement,
  cast: Pick<Cast, "size" | "events">,
  time: PlayedTime,
  { speed, from, plays, onPlaying }: PlayerWishes,
): PlayerScreen {
  const header = { version: 2, width: cast.size.columns, height: cast.size.rows };
  const events = cast.events.map(([seconds, code, text]) => [time.played(seconds), code, text]);
  const player = create({ data: [header, ...events] }, element, {
    ...{ speed, controls: false, preload: true, fit: "width", cursorMode: "steady", keystrokeOverlay: true },
    ...{ theme: "asciinema", terminalFontFamily: fontFamily() },
  });
  nameScreen(element);
  player.addEventListener("playing", () => onPlaying(true));
  player.addEventListener("pause", () => onPlaying(false));
  player.addEventListener("ended", () => onPlaying(false));
  let wanted = from;
  let following: Promise<void> | null = null;
  void begin();
  return {
    get seconds() {
      return player.getCurrentTime() ?? from;
    },
    play: () => void player.play(),
    pause: () => void player.pause(),
    seek: (seconds) => void seek(seconds),
    close: () => player.dispose(),
  };

  async function begin(): Promise<void> {
    await seek(from);
    if (plays) await player.play();
  }

  /** Seeks run one at a time, and the last one wins. */
  function seek(seconds: number): Promise<void> {
    wanted = seconds;
    following ??= follow().finally(() => {
      following = null;
    });
    return following;
  }

  async function follow(): Promise<void> {
    for (let at: number | null = null; at !== wanted; ) {
      at = wanted;
      await player.seek(at);
    }
  }
}

function fontFamily(): string {
  return getComputedStyle(document.documentElement).getPropertyValue("--font-mono") || "monospace";
}

/** Names the player's element for screen readers, since the player does not. */
function nameScreen(element: HTMLElement): void {
  const text = element.querySelector("pre");
  text?.setAttribute("role", "region");
  text?.setAttribute("aria-label", "Screen of the recording");
}
