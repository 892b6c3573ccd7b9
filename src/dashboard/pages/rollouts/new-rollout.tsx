/**
 * Starts a rollout: the release, the machines, and how carefully they are upgraded.
 *
 * @module
 */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Body } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { useDraft } from "../../browser/draft.ts";
import { Button } from "../../components/button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { GroupNamesField } from "../../components/group-names-field.tsx";
import { LastsField } from "../../components/lasts-field.tsx";
import { problemAt } from "../../components/problem-at.ts";
import { failuresOf, stagesOf } from "./rollout-words.ts";

export function NewRollout() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button weight="primary" onClick={() => setIsOpen(true)}>
        New rollout
      </Button>
      {isOpen ? <RolloutForm onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

interface Draft {
  readonly version: string;
  /** Group ids: none or one. */
  readonly group: readonly string[];
  readonly stages: string;
  readonly pause: number | undefined;
  readonly failures: string;
}

const UNTOUCHED: Draft = { version: "", group: [], stages: "10, 50, 100", pause: 600, failures: "0" };
const ABOUT =
  "Each machine checks the publisher's signature by itself, and takes the old version back if the new one " +
  "does not come up.";
const PAUSES = [600, 3_600, 86_400] as const;
const PLACES = ["version", "group", "stages", "pause_seconds", "failures_max"];

function RolloutForm({ onClose }: { readonly onClose: () => void }) {
  const [kept, setKept] = useDraft<Draft>("qf-rollout");
  const draft = kept ?? UNTOUCHED;
  const put = (part: Partial<Draft>): void => setKept({ ...draft, ...part });
  const start = useChange("POST /api/rollouts");
  const navigate = useNavigate();
  const body = bodyOf(draft);
  const close = (): void => {
    setKept(null);
    onClose();
  };
  const submit = async (): Promise<void> => {
    if (body === null) return;
    const { id } = await start.mutateAsync({ body });
    setKept(null);
    await navigate({ to: "/rollouts/$rolloutId", params: { rolloutId: id } });
  };
  return (
    <FormDialog
      open
      onOpenChange={close}
      title="New rollout"
      about={ABOUT}
      submit="Start"
      isKeptOpen
      disabled={body === null}
      problems={PLACES.map((place) => problemAt(start.error, place))}
      onSubmit={submit}
    >
      <TextField
        label="Release"
        hint="Empty: the newest that this server hands out."
        value={draft.version}
        onValue={(version) => put({ version })}
        placeholder="1.2.3"
        problem={problemAt(start.error, "version")}
        autoFocus
      />
      <GroupNamesField
        label="Only machines of this group"
        hint="None: all machines whose root allows it."
        single
        ids={draft.group}
        onIds={(group) => put({ group })}
        problem={problemAt(start.error, "group")}
      />
      <Care draft={draft} put={put} error={start.error} />
    </FormDialog>
  );
}

interface CareProps {
  readonly draft: Draft;
  readonly put: (part: Partial<Draft>) => void;
  readonly error: unknown;
}

/** Fields for the stages, the pause between them, and the failures that are tolerated. */
function Care({ draft, put, error }: CareProps) {
  return (
    <>
      <TextField
        label="Stages, in percent of the machines"
        value={draft.stages}
        onValue={(stages) => put({ stages })}
        problem={
          stagesOf(draft.stages) === null
            ? "Write at most ten numbers that ascend to 100, as in 10, 50, 100."
            : problemAt(error, "stages")
        }
      />
      <LastsField
        label="Watched before the next stage"
        choices={PAUSES}
        seconds={draft.pause}
        onSeconds={(pause) => put({ pause })}
        problem={problemAt(error, "pause_seconds")}
      />
      <TextField
        label="Machines that may fail before it halts"
        inputMode="numeric"
        value={draft.failures}
        onValue={(failures) => put({ failures })}
        problem={
          failuresOf(draft.failures) === null
            ? "Write a whole number up to 1,000."
            : problemAt(error, "failures_max")
        }
        className="max-w-40"
      />
    </>
  );
}

/** The request body. Null if something is missing or invalid. */
function bodyOf(draft: Draft): Body<"POST /api/rollouts"> | null {
  const {
    version,
    group: [group],
    stages: typed,
    pause,
    failures,
  } = draft;
  const [stages, failures_max] = [stagesOf(typed), failuresOf(failures)];
  if (stages === null || failures_max === null || pause === undefined) return null;
  return {
    ...{ stages, pause_seconds: pause, failures_max },
    ...(version.trim() === "" ? {} : { version: version.trim() }),
    ...(group === undefined ? {} : { group }),
  };
}
