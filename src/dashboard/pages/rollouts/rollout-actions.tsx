/**
 * Halts, resumes or ends a rollout.
 *
 * @module
 */
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { useToast } from "../../components/toasts.tsx";
import { isOpen, type Rollout } from "./rollout-words.ts";

export function RolloutActions({ rollout }: { readonly rollout: Rollout }) {
  const me = useMe();
  if (!may(me, "peers", "update") || !isOpen(rollout)) return null;
  return (
    <>
      {rollout.state === "halted" ? <Resume rollout={rollout} /> : <Halt rollout={rollout} />}
      <End rollout={rollout} />
    </>
  );
}

/** Halts at once, without asking, because it can be resumed. Upgrades under way continue. */
function Halt({ rollout: { id } }: { readonly rollout: Rollout }) {
  const halt = useChange("POST /api/rollouts/:rolloutId/halt");
  const tell = useToast();
  const run = (): void =>
    halt.mutate({ params: { rolloutId: id } }, { onError: ({ message }) => tell(message) });
  return (
    <Button busy={halt.isPending} onClick={run}>
      Halt
    </Button>
  );
}

function Resume({ rollout }: { readonly rollout: Rollout }) {
  const [asks, setAsks] = useState(false);
  const resume = useChange("POST /api/rollouts/:rolloutId/resume");
  const { id, version, machines } = rollout;
  return (
    <>
      <Button weight="primary" onClick={() => setAsks(true)}>
        Resume
      </Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={`Resume the rollout of ${version}?`}
        verb="Resume"
        weight="primary"
        onConfirm={() => resume.mutateAsync({ params: { rolloutId: id } })}
      >
        <p>
          {machines.failed === 0
            ? "Further machines are told, from the stage that it was in."
            : "Machines that failed are told again, and then further ones."}
        </p>
      </ConfirmDialog>
    </>
  );
}

function End({ rollout: { id, version } }: { readonly rollout: Rollout }) {
  const [asks, setAsks] = useState(false);
  const end = useChange("DELETE /api/rollouts/:rolloutId");
  return (
    <>
      <Button onClick={() => setAsks(true)}>End</Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={`End the rollout of ${version}?`}
        verb="End rollout"
        onConfirm={() => end.mutateAsync({ params: { rolloutId: id } })}
      >
        <p>Machines that have {version} keep it, the others stay as they are. It cannot be resumed.</p>
      </ConfirmDialog>
    </>
  );
}
