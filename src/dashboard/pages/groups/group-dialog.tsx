/**
 * Creates or edits a group: its name, whether and how people may ask to join it, and what it requires at its
 * machines.
 *
 * @module
 */
import { useState } from "react";
import { type Answer, callApi } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { FormDialog } from "../../components/dialog.tsx";
import { DurationField } from "../../components/duration-field.tsx";
import { SwitchField, TextField } from "../../components/field.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { useToast } from "../../components/toasts.tsx";
import { wholeRequire } from "./group-require.ts";
import { GroupRequireFields } from "./group-require-fields.tsx";

export type Group = Answer<"GET /api/groups">[number];

/** Default length of a membership by request, in seconds: 8 h. */
const REQUEST_SECONDS = 28_800;

interface GroupDialogProps {
  /** Null for a new group. */
  readonly group: Group | null;
  /** All groups of the account. */
  readonly groups: readonly Group[];
  readonly onClose: () => void;
}

export function GroupDialog({ group, groups, onClose }: GroupDialogProps) {
  const [name, setName] = useState(group?.name ?? "");
  const [isRequestable, setIsRequestable] = useState(group?.requestable === true);
  const [approvers, setApprovers] = useState<readonly string[]>(group?.approver_groups ?? []);
  const [seconds, setSeconds] = useState<number | undefined>(group?.request_seconds_max ?? REQUEST_SECONDS);
  const [require, setRequire] = useState(group?.require ?? {});
  const create = useChange("POST /api/groups");
  const update = useChange("PUT /api/groups/:groupId", ["access", "my", "policies", "policy"]);
  const tell = useToast();
  const save = async (): Promise<void> => {
    const terms = isRequestable
      ? {
          requestable: true,
          approver_groups: [...approvers],
          request_seconds_max: seconds ?? REQUEST_SECONDS,
        }
      : { ...(group?.requestable === true ? { requestable: false } : {}) };
    const body = { name: name.trim(), ...terms, require: wholeRequire(require) };
    if (group === null) await create.mutateAsync({ body });
    else {
      // An update replaces the member list, so the current members are sent along.
      const { peers } = await callApi("GET /api/groups/:groupId", { params: { groupId: group.id } });
      const members = peers.map(({ id }) => id);
      await update.mutateAsync({ params: { groupId: group.id }, body: { ...body, peers: members } });
    }
    tell(group === null ? `${body.name} is there.` : `${body.name} is saved.`);
  };
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title={group === null ? "New group" : `Edit ${group.name}`}
      submit={group === null ? "Create" : "Save"}
      disabled={name.trim() === ""}
      onSubmit={save}
    >
      <TextField label="Name" value={name} onValue={setName} maxLength={256} autoFocus />
      <SwitchField
        label="People may ask to be in it for a while"
        hint="They find it under My access, and give a reason."
        checked={isRequestable}
        onChecked={setIsRequestable}
      />
      {isRequestable ? (
        <>
          <Approvers group={group} groups={groups} ids={approvers} onIds={setApprovers} />
          <DurationField
            label="For at most"
            hint="From 1m to 30d. Empty: 8h."
            seconds={seconds}
            onSeconds={setSeconds}
          />
        </>
      ) : null}
      <GroupRequireFields require={require} onRequire={setRequire} />
    </FormDialog>
  );
}

interface ApproversProps extends Pick<GroupDialogProps, "group" | "groups"> {
  readonly ids: readonly string[];
  readonly onIds: (ids: readonly string[]) => void;
}

/** Groups by name, without those that people can join by request. */
function Approvers({ group, groups, ids, onIds }: ApproversProps) {
  const able = groups.filter(({ id, requestable }) => id !== group?.id && requestable !== true);
  const nameOf = (id: string): string => groups.find((one) => one.id === id)?.name ?? id;
  const idOf = (name: string): string => groups.find((one) => one.name === name)?.id ?? name;
  return (
    <NamesField
      label="Approved by members of"
      hint="Nobody approves their own request. Empty: owners and admins."
      values={ids.map(nameOf)}
      onValues={(names) => onIds(names.map(idOf))}
      choices={able}
      add="Add a group"
    />
  );
}
