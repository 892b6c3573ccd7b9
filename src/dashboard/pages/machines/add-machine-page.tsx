/**
 * "Add a machine": pick groups, copy one line, and watch the machine appear and turn green.
 *
 * The key is for one machine and one hour. It is in the line as a variable of the shell, so it is on nobody's
 * list of processes.
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
import { Card } from "../../components/card.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { FailureNotice } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";

type SetupKey = Answer<"POST /api/setup-keys">;
type Peer = Answer<"GET /api/peers">[number];

const HOUR_SECONDS = 3_600;

export function AddMachinePage() {
  const [groups, setGroups] = useState<ReadonlySet<string>>(new Set());
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
    const key = await create.mutateAsync({ body });
    setMade({ key, sinceMs });
  };
  return (
    <>
      <PageHeader title="Add a machine" about="One line on the machine, as root, and it is in the network." />
      <div className="flex max-w-3xl flex-col gap-4">
        <Card title="1. Groups it is in">
          <GroupPicker
            label="Policies that speak of these hold for it"
            chosen={groups}
            onChosen={setGroups}
          />
          {made === null ? (
            <Button weight="primary" className="mt-4" busy={create.isPending} onClick={() => void make()}>
              Make the line
            </Button>
          ) : null}
          {create.isError ? <FailureNotice error={create.error} /> : null}
        </Card>
        {made === null ? null : (
          <>
            <Card title="2. Run this on the machine">
              <CopyLine label="Copy the line" text={lineFor(made.key.key)} />
              <p className="mt-2 text-soft">
                For one machine, within an hour. The machine's own sshd stays as it is.
              </p>
            </Card>
            <Card title="3. It appears here">
              <Arrival keyName={made.key.name} sinceMs={made.sinceMs} />
            </Card>
          </>
        )}
      </div>
    </>
  );
}

function lineFor(key: string): string {
  const url = window.location.origin;
  return `curl -fsSL ${url}/install.sh | QF_SETUP_KEY=${key} sh -s -- --allow-server-ssh`;
}

/** The newest machine since the key was made. News make the list be read again. */
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
        Waiting for the machine. You may leave this page; it appears under Machines.
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
        <ButtonLink to="/policies" weight="primary">
          Who may log in there
        </ButtonLink>
        <ButtonLink to="/machines">All machines</ButtonLink>
      </div>
    </div>
  );
}
