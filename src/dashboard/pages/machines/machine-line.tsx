/**
 * The line that joins a machine, and the machine as it arrives.
 *
 * The key in it is for one machine and expires after an hour.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, LoaderCircle } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { FailureNotice } from "../../components/notice.tsx";
import { joinLine } from "./join-line.ts";

type SetupKey = Answer<"POST /api/setup-keys">;
type Peer = Answer<"GET /api/peers">[number];

const HOUR_SECONDS = 3_600;

interface MachineLineProps {
  /** Ids of the groups that the machine joins. */
  readonly groups: ReadonlySet<string>;
  /** Id of the form that makes the line, so that fields outside it can submit it. */
  readonly form?: string;
}

export function MachineLine({ groups, form }: MachineLineProps) {
  const [made, setMade] = useState<{ readonly key: SetupKey; readonly sinceMs: number } | null>(null);
  const create = useChange("POST /api/setup-keys");
  const make = async (): Promise<void> => {
    const sinceMs = Date.now();
    const body = {
      name: `machine of ${new Date(sinceMs).toISOString().slice(0, 16)}`,
      type: "one-off" as const,
      expires_in: HOUR_SECONDS,
      auto_groups: [...groups],
      usage_limit: 1,
    };
    const key = await create.mutateAsync({ body }).catch(() => null);
    if (key === null) return;
    setMade({ key, sinceMs });
    await copyForLater(joinLine(key.key));
  };
  if (made === null) {
    return (
      <form
        id={form}
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        {create.isError ? <FailureNotice error={create.error} /> : null}
        <div>
          <Button type="submit" weight="primary" busy={create.isPending}>
            Make the line
          </Button>
        </div>
        <p className="text-soft text-xs">It is copied at once, where your browser lets it.</p>
      </form>
    );
  }
  return (
    <div className="flex flex-col gap-5">
      <div>
        <p className="mb-2 font-medium">Run this on the machine, as root</p>
        <CopyLine label="Copy the line" text={joinLine(made.key.key)} />
        <p className="mt-2 text-soft text-xs">For one machine, within an hour.</p>
      </div>
      <Arrival keyName={made.key.name} sinceMs={made.sinceMs} />
    </div>
  );
}

/** Copies the line if the browser allows it. The page shows the line either way. */
async function copyForLater(line: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(line);
  } catch {
    // The browser only allows this right after a click; the page has a copy button.
  }
}

/** Waits until the key is used and a machine created since then is listed. Live updates refresh the lists. */
function Arrival({ keyName, sinceMs }: { readonly keyName: string; readonly sinceMs: number }) {
  const peers = useQuery(reading("GET /api/peers"));
  const keys = useQuery(reading("GET /api/setup-keys"));
  const isUsed = keys.data?.some(({ name, used_times }) => name === keyName && used_times > 0) === true;
  const arrived = (peers.data ?? []).find(
    (peer: Peer) => isUsed && peer.kind === "machine" && Date.parse(peer.created_at) >= sinceMs - 1_000,
  );
  if (arrived === undefined) {
    return (
      <p role="status" className="flex items-center gap-2 text-soft">
        <LoaderCircle size={16} aria-hidden="true" className="motion-safe:animate-spin" />
        Waiting for the machine. You may leave this page: it appears under Machines.
      </p>
    );
  }
  return (
    <div role="status">
      <p className="flex items-center gap-2">
        <Check size={16} aria-hidden="true" className="text-good" />
        <Link
          to="/machines/$machineId"
          params={{ machineId: arrived.id }}
          className="font-medium text-accent hover:underline"
        >
          {arrived.name}
        </Link>
        {arrived.connected ? "is connected." : "has joined and is about to connect."}
      </p>
      <div className="mt-4 flex gap-2">
        <ButtonLink to="/terminal/$machine" params={{ machine: arrived.name }}>
          Open a terminal
        </ButtonLink>
        <ButtonLink to="/policies">Who may log in there</ButtonLink>
      </div>
    </div>
  );
}
