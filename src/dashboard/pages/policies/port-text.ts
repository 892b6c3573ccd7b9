/**
 * Ports and port ranges of a rule as text, and back.
 *
 * @module
 */
import { type FileRule, withField } from "./policy-draft.ts";

/** Such as `80` and `8000-8100`. */
export function portsText({ ports, port_ranges }: FileRule): string[] {
  const ranges = (port_ranges ?? []).map(({ start, end }) =>
    start === end ? `${start}` : `${start}-${end}`,
  );
  return [...(ports ?? []).map(String), ...ranges];
}

/** A rule has either ports or ranges, so beside a range every port becomes one. Other words are dropped. */
export function writePorts(rule: FileRule, text: string): FileRule {
  const words = text.split(/[\s,]+/).filter((word) => /^\d{1,5}(?:-\d{1,5})?$/.test(word));
  const hasRange = words.some((word) => word.includes("-"));
  const ranges = words.map((word) => {
    const [start = 0, end = start] = word.split("-").map(Number);
    return { start, end };
  });
  return withField(
    withField(rule, "ports", hasRange || words.length === 0 ? undefined : words.map(Number)),
    "port_ranges",
    hasRange ? ranges : undefined,
  );
}
