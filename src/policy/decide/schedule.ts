/**
 * Times at which a rule holds, and when that next changes. UTC throughout.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import type { Schedule } from "../../wire/policy.ts";
import type { EpochSeconds } from "../../wire/units.ts";

const DAY_SECONDS = 86_400;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/** The time for judging the ends of approvals and memberships in `request`. */
export function endsTime(request: {
  readonly nowSeconds: EpochSeconds;
  readonly endsAtSeconds?: EpochSeconds;
}): EpochSeconds {
  return Math.max(request.nowSeconds, request.endsAtSeconds ?? request.nowSeconds);
}

/** Whether `now` is within the rule's validity: `valid_from` inclusive, `valid_until` exclusive. */
export function isWithinValidity(rule: MapRule, now: EpochSeconds): boolean {
  if (rule.validFromSeconds !== null && now < rule.validFromSeconds) return false;
  return rule.validUntilSeconds === null || now < rule.validUntilSeconds;
}

/** Whether `now` is inside one window of `schedule`. Null, no schedule, is always. */
export function isWithinSchedule(schedule: Schedule | null, now: EpochSeconds): boolean {
  return schedule === null || windowEnd(schedule, now) !== null;
}

/** The first second at which a rule that holds at `now` expires or leaves its schedule. Null: never. */
export function holdsUntil(rule: MapRule, now: EpochSeconds): EpochSeconds | null {
  const ends: EpochSeconds[] = [];
  if (rule.validUntilSeconds !== null) ends.push(rule.validUntilSeconds);
  if (rule.schedule !== null) ends.push(windowEnd(rule.schedule, now) ?? now);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** End of the latest-ending window that contains `now`, or null outside all of them. */
function windowEnd(schedule: Schedule, now: EpochSeconds): EpochSeconds | null {
  const dayIndex = Math.floor(now / DAY_SECONDS);
  const day = DAYS[(dayIndex + 4) % 7]; // 1970-01-01 was a Thursday.
  const second = now - dayIndex * DAY_SECONDS;
  let end: EpochSeconds | null = null;
  for (const window of schedule.windows) {
    if (day === undefined || !window.days.includes(day)) continue;
    const until = secondsOf(window.to);
    if (secondsOf(window.from) <= second && second < until)
      end = Math.max(end ?? 0, dayIndex * DAY_SECONDS + until);
  }
  return end;
}

function secondsOf(time: string): number {
  return Number(time.slice(0, 2)) * 3600 + Number(time.slice(3, 5)) * 60;
}
