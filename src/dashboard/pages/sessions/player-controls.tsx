/**
 * The player's controls: play and pause, position, speed, and whether idle time is cut.
 *
 * @module
 */
import { Link2, Pause, Play } from "lucide-react";
import { Slider } from "radix-ui";
import { IconButton } from "../../components/button.tsx";
import { SegmentField } from "../../components/choice-field.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { SwitchField } from "../../components/field.tsx";
import { clockText, momentOf } from "../../recording/played-time.ts";
import type { Pace, PlayerState } from "./use-player.tsx";

/** Seconds that an arrow key moves. */
const STEP_SECONDS = 0.1;
const SPEEDS = ["0.5", "1", "2", "5", "10"] as const;

interface PlayerControlsProps {
  readonly player: PlayerState;
  readonly pace: Pace;
  readonly onPace: (pace: Pace) => void;
  /** Longest wait, in seconds, while idle time is cut. */
  readonly idleSeconds: number;
}

export function PlayerControls({ player, pace, onPace, idleSeconds }: PlayerControlsProps) {
  const { seconds, end, isPlaying, toggle, seek } = player;
  return (
    <>
      <div className="flex items-center gap-3">
        <IconButton label={isPlaying ? "Pause" : "Play"} weight="primary" onClick={toggle}>
          {isPlaying ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
        </IconButton>
        <Slider.Root
          className="relative flex h-9 min-w-0 flex-1 touch-none select-none items-center"
          min={0}
          max={Math.max(STEP_SECONDS, momentOf(end))}
          step={STEP_SECONDS}
          value={[seconds]}
          onValueChange={([to = 0]) => seek(Math.min(to, end))}
        >
          <Slider.Track className="relative h-1.5 flex-1 rounded-full bg-line">
            <Slider.Range className="absolute h-full rounded-full bg-accent" />
          </Slider.Track>
          <Slider.Thumb
            aria-label="Moment"
            aria-valuetext={`${clockText(seconds)} of ${clockText(end)}`}
            className="block size-6 rounded-full border-2 border-accent bg-card"
          />
        </Slider.Root>
        <span className="whitespace-nowrap text-soft text-xs tabular-nums">
          {clockText(seconds)} / {clockText(end)}
        </span>
      </div>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-3">
        <SegmentField
          label="Speed"
          isLabelHidden
          value={String(pace.speed) as (typeof SPEEDS)[number]}
          onValue={(speed) => onPace({ ...pace, speed: Number(speed) })}
          choices={SPEEDS.map((value) => ({ value, label: `${value}×` }))}
        />
        <SwitchField
          label="Cut idle time"
          checked={pace.idleSeconds === idleSeconds}
          onChecked={(cuts) =>
            onPace({ ...pace, idleSeconds: cuts ? idleSeconds : Number.POSITIVE_INFINITY })
          }
        />
        <span className="flex items-center gap-1 text-soft">
          <Link2 size={16} aria-hidden="true" />
          This moment
          <CopyButton text={momentLink(seconds)} label="Copy a link to this moment" />
        </span>
      </div>
    </>
  );
}

function momentLink(seconds: number): string {
  const url = new URL(location.href);
  url.searchParams.set("t", String(momentOf(seconds)));
  return url.href;
}
