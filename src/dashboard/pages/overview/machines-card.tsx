/**
 * Machines by state: one bar, and counts that link to the filtered list.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { classes } from "../../components/class-names.ts";
import { Loaded } from "../../components/loaded.tsx";
import { ShareBar } from "../../components/share-bar.tsx";
import { countStates, MACHINE_STATES, type MachineStateName } from "./machine-states.ts";

const LOOKS: Readonly<Record<MachineStateName, { readonly label: string; readonly ground: string }>> = {
  connected: { label: "connected", ground: "bg-good" },
  offline: { label: "offline", ground: "bg-edge" },
  waiting: { label: "wait for approval", ground: "bg-warn" },
  blocked: { label: "blocked", ground: "bg-bad" },
};

export function MachinesCard() {
  const peers = useQuery(reading("GET /api/peers"));
  return (
    <Card title="Machines">
      <Loaded query={peers} rows={2}>
        {(all) => {
          const counts = countStates(all);
          const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
          return total === 0 ? <NoMachine /> : <States counts={counts} />;
        }}
      </Loaded>
    </Card>
  );
}

function NoMachine() {
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p className="text-soft">No machine yet. One line on it, and it appears here.</p>
      <ButtonLink to="/machines/add">Add a machine</ButtonLink>
    </div>
  );
}

function States({ counts }: { readonly counts: ReadonlyMap<MachineStateName, number> }) {
  const shown = MACHINE_STATES.filter((state) => (counts.get(state) ?? 0) > 0 || state === "connected");
  return (
    <>
      <ShareBar
        shares={MACHINE_STATES.map((state) => ({
          name: state,
          count: counts.get(state) ?? 0,
          ground: LOOKS[state].ground,
        }))}
      />
      <ul className="-mx-2 grid grid-cols-2 sm:grid-cols-4">
        {shown.map((state) => (
          <li key={state}>
            <Link
              to="/machines"
              search={{ state }}
              className="block rounded-md px-2 py-1.5 no-underline hover:bg-sunken"
            >
              <span className="block font-semibold text-lg tabular-nums">
                {(counts.get(state) ?? 0).toLocaleString("en")}
              </span>
              <span className="flex items-center gap-1.5 text-soft text-xs">
                <span aria-hidden="true" className={classes("size-2 rounded-full", LOOKS[state].ground)} />
                {LOOKS[state].label}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
