/**
 * Creates or edits a posture check: what a device must be, and the sentence that this means.
 *
 * @module
 */
import { useChange } from "../../api/queries.ts";
import { useDraft } from "../../browser/draft.ts";
import { SegmentField } from "../../components/choice-field.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { SwitchField, TextField } from "../../components/field.tsx";
import { Note } from "../../components/notice.tsx";
import { nameProblem, problemAt } from "../../components/problem-at.ts";
import { useToast } from "../../components/toasts.tsx";
import { WordsField } from "../../components/words-field.tsx";
import {
  asksAnything,
  checksOf,
  draftOf,
  type PostureCheck,
  type PostureDraft,
  postureSentence,
  SYSTEMS,
  writeOf,
} from "./posture-words.ts";

/** Fields that can show a refusal of the API. */
const PLACES = [
  "description",
  "nb_version_check.min_version",
  ...SYSTEMS.map(({ name, field }) => `os_version_check.${name}.${field}`),
  "peer_network_range_check.ranges",
];

interface PostureDialogProps {
  /** Null for a new check. */
  readonly check: PostureCheck | null;
  readonly onClose: () => void;
}

export function PostureDialog({ check, onClose }: PostureDialogProps) {
  const [kept, setKept] = useDraft<PostureDraft>(`qf-posture:${check?.id ?? "new"}`);
  const draft = kept ?? draftOf(check);
  const put = (part: Partial<PostureDraft>): void => setKept({ ...draft, ...part });
  const create = useChange("POST /api/posture-checks");
  const update = useChange("PUT /api/posture-checks/:postureCheckId", ["access", "my", "policy"]);
  const tell = useToast();
  const error = create.error ?? update.error;
  const body = writeOf(draft, check);
  const close = (): void => {
    setKept(null);
    onClose();
  };
  const save = async (): Promise<void> => {
    if (check === null) await create.mutateAsync({ body });
    else await update.mutateAsync({ params: { postureCheckId: check.id }, body });
    tell(check === null ? `${body.name} is there. A policy can ask for it now.` : `${body.name} is saved.`);
  };
  return (
    <FormDialog
      open
      onOpenChange={close}
      title={check === null ? "New posture check" : `Edit ${check.name}`}
      submit={check === null ? "Create" : "Save"}
      problems={PLACES.map((place) => problemAt(error, place)).concat(nameProblem(error))}
      disabled={draft.name.trim() === "" || !asksAnything(draft)}
      onSubmit={save}
    >
      <TextField
        label="Name"
        value={draft.name}
        onValue={(name) => put({ name })}
        maxLength={256}
        problem={nameProblem(error)}
        autoFocus
      />
      <TextField
        label="Description"
        value={draft.description}
        onValue={(description) => put({ description })}
        maxLength={1_024}
        problem={problemAt(error, "description")}
      />
      <TextField
        label="Lowest version of qf"
        hint="Such as 1.4.0. Empty: every version passes."
        value={draft.qf}
        onValue={(qf) => put({ qf })}
        problem={problemAt(error, "nb_version_check.min_version")}
        className="max-w-48"
      />
      <Systems draft={draft} put={put} error={error} />
      <Networks draft={draft} put={put} error={error} />
      <Note>
        <p role="status">{postureSentence(checksOf(draft, check))}</p>
      </Note>
    </FormDialog>
  );
}

interface PartProps {
  readonly draft: PostureDraft;
  readonly put: (part: Partial<PostureDraft>) => void;
  readonly error: unknown;
}

function Systems({ draft, put, error }: PartProps) {
  return (
    <>
      <SwitchField
        label="Ask for the operating system"
        hint="A system without a version here does not pass."
        checked={draft.asksSystem}
        onChecked={(asksSystem) => put({ asksSystem })}
      />
      {draft.asksSystem ? (
        <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
          {SYSTEMS.map(({ name, label, field, hint }) => (
            <TextField
              key={name}
              label={`${label} at least`}
              hint={hint}
              value={draft.systems[name]}
              onValue={(version) => put({ systems: { ...draft.systems, [name]: version } })}
              problem={problemAt(error, `os_version_check.${name}.${field}`)}
            />
          ))}
        </div>
      ) : null}
    </>
  );
}

function Networks({ draft, put, error }: PartProps) {
  return (
    <>
      <WordsField
        label="Networks"
        hint="Addresses from which the device reaches this server. Empty: from everywhere."
        values={draft.ranges}
        onValues={(ranges) => put({ ranges })}
        placeholder="192.0.2.0/24"
        problem={problemAt(error, "peer_network_range_check.ranges")}
      />
      {draft.ranges.length === 0 ? null : (
        <SegmentField
          label="Devices in these networks"
          value={draft.action}
          onValue={(action) => put({ action })}
          choices={[
            { value: "allow", label: "pass" },
            { value: "deny", label: "do not pass" },
          ]}
        />
      )}
    </>
  );
}
