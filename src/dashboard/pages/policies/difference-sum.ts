/**
 * A difference in one line, for the button that applies it.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

type Difference = Pick<Answer<"POST /api/policy/diff">, "gained" | "lost" | "ends" | "tests" | "same">;

/** Such as `14 gained, 2 lost, 1 live connection ends`. */
export function sumOf({ gained, lost, ends, tests, same }: Difference): string {
  if (same) return "nothing changes";
  const connections = ends.length === 1 ? "1 live connection ends" : `${ends.length} live connections end`;
  const parts = [
    ...(gained.total > 0 ? [`${gained.total.toLocaleString("en")} gained`] : []),
    ...(lost.total > 0 ? [`${lost.total.toLocaleString("en")} lost`] : []),
    ...(ends.length > 0 ? [connections] : []),
    ...(tests.failed > 0 ? [tests.failed === 1 ? "1 test fails" : `${tests.failed} tests fail`] : []),
  ];
  return parts.length === 0 ? "nobody's access changes" : parts.join(", ");
}
