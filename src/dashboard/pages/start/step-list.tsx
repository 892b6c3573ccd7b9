/**
 * The first steps as a list that marks those that are done.
 *
 * @module
 */
import { Link } from "@tanstack/react-router";
import { Circle, CircleCheck } from "lucide-react";
import { classes } from "../../components/class-names.ts";
import type { StepId } from "../../terms/start-step.ts";
import type { Step } from "./steps.ts";

interface StepListProps {
  readonly steps: readonly Step[];
  /** Undefined if no step is shown beside the list. */
  readonly current?: StepId;
}

export function StepList({ steps, current }: StepListProps) {
  return (
    <ol className="-mx-2 flex flex-col gap-0.5">
      {steps.map(({ id, title, isDone }) => (
        <li key={id}>
          <Link
            to="/start"
            search={{ step: id }}
            {...(id === current ? { "aria-current": "step" as const } : {})}
            className={classes(
              "flex min-h-10 items-center gap-2.5 rounded-md px-2 no-underline hover:bg-sunken pointer-coarse:min-h-12",
              id === current && "bg-accent-ground font-medium",
            )}
          >
            {isDone ? (
              <CircleCheck size={18} aria-hidden="true" className="shrink-0 text-good" />
            ) : (
              <Circle size={18} aria-hidden="true" className="shrink-0 text-soft" />
            )}
            <span className="min-w-0 flex-1">{title}</span>
            <span className="text-soft text-xs">{isDone ? "done" : ""}</span>
          </Link>
        </li>
      ))}
    </ol>
  );
}
