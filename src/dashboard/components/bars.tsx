/**
 * A small chart of counts over time. The page also says in words what it shows, and links to the rows.
 *
 * @module
 */
interface BarsProps {
  /** What is counted and since when, for screen readers. */
  readonly label: string;
  readonly counts: readonly number[];
  /** Name of a bar, such as `14:00`. The tooltip adds the count. */
  readonly nameOf: (index: number) => string;
  readonly tone?: "accent" | "bad";
}

const WIDTH = 240;
const HEIGHT = 48;
const GAP = 2;
const FILLS = { accent: "fill-accent", bad: "fill-bad" } as const;

export function Bars({ label, counts, nameOf, tone = "accent" }: BarsProps) {
  const most = Math.max(1, ...counts);
  const step = WIDTH / counts.length;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="h-12 w-full"
    >
      {counts.map((count, i) => {
        // An empty bar keeps a thin line, so that gaps in time stay visible.
        const height = count === 0 ? 1 : Math.max(3, (count / most) * HEIGHT);
        return (
          <rect
            key={`bar-${i}`}
            x={i * step + GAP / 2}
            y={HEIGHT - height}
            width={step - GAP}
            height={height}
            rx={1}
            className={count === 0 ? "fill-line" : FILLS[tone]}
          >
            <title>{`${nameOf(i)}: ${count}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
