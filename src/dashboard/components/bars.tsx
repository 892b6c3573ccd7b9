/**
 * A small chart of counts over time. What it shows is said in words too; it leads to its rows by the link
 * beside it.
 *
 * @module
 */
interface BarsProps {
  /** What is counted, and since when, for readers. */
  readonly label: string;
  readonly counts: readonly number[];
  /** Of a bar, shown over it: `14:00: 3`. */
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
        // An empty hour keeps a line, so that one sees where time goes on.
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
