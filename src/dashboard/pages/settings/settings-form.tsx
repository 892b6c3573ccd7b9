/**
 * The settings of one topic as a form. Changes are counted as they are made, and saved together.
 *
 * @module
 */
import { type FormEvent, useState } from "react";
import { type Answer, ApiError } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { DurationField } from "../../components/duration-field.tsx";
import { SelectField, SwitchField, TextField } from "../../components/field.tsx";
import { FailureNotice } from "../../components/notice.tsx";
import { useToast } from "../../components/toasts.tsx";
import {
  type SettingField,
  type SettingValue,
  SOURCE_SETTING,
  settingAt,
  withChanges,
} from "./setting-fields.ts";

type Account = Answer<"GET /api/accounts">[number];

interface SettingsFormProps {
  readonly account: Account;
  readonly fields: readonly SettingField[];
  readonly canSave: boolean;
}

export function SettingsForm({ account, fields, canSave }: SettingsFormProps) {
  const { changes, put, save, submit, asksReason, reason, setReason } = useSettingsChange(account);
  const at = fields.find(({ name }) => save.error?.message.toLowerCase().includes(name));
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <fieldset disabled={!canSave} className="flex max-w-xl flex-col gap-5">
        <legend className="sr-only">Settings</legend>
        {fields.map((field) => (
          <Setting
            key={`${field.name} ${save.submittedAt}`}
            field={field}
            value={
              changes.has(field.name)
                ? (changes.get(field.name) ?? null)
                : settingAt(account.settings, field.name)
            }
            onValue={(value) => put(field.name, value)}
            problem={field === at && save.error instanceof ApiError ? save.error.message : null}
          />
        ))}
        {asksReason ? (
          <TextField
            className="max-w-96"
            label="Reason"
            hint="Why the policies are no longer kept there. It is in the audit log."
            value={reason}
            onValue={setReason}
            maxLength={256}
          />
        ) : null}
      </fieldset>
      {save.isError && at === undefined ? (
        <div className="mt-5">
          <FailureNotice error={save.error} />
        </div>
      ) : null}
      {canSave ? (
        <div className="mt-6 flex min-h-9 flex-wrap items-center gap-3">
          <Button type="submit" weight="primary" busy={save.isPending} disabled={changes.size === 0}>
            Save
          </Button>
          <p role="status" className="text-soft">
            {changes.size === 0 ? "" : changes.size === 1 ? "1 change" : `${changes.size} changes`}
          </p>
        </div>
      ) : null}
    </form>
  );
}

function useSettingsChange(account: Account) {
  const [changes, setChanges] = useState<ReadonlyMap<string, SettingValue>>(new Map());
  const [reason, setReason] = useState("");
  const asksReason = changes.has(SOURCE_SETTING) && settingAt(account.settings, SOURCE_SETTING) !== "";
  const save = useChange("PUT /api/accounts/:accountId", ["policy", "my", "peers"]);
  const tell = useToast();
  const put = (name: string, value: SettingValue): void => {
    const next = new Map(changes);
    if (value === settingAt(account.settings, name)) next.delete(name);
    else next.set(name, value);
    setChanges(next);
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const settings = withChanges(account.settings, changes);
    const params = { accountId: account.id };
    const body = { settings, ...(asksReason ? { reason: reason.trim() } : {}) };
    const done = await save.mutateAsync({ params, body }).catch(() => null);
    if (done === null) return;
    setChanges(new Map());
    setReason("");
    tell("Saved.");
  };
  return { changes, put, save, submit, asksReason, reason, setReason };
}

interface SettingProps {
  readonly field: SettingField;
  readonly value: SettingValue;
  readonly onValue: (value: SettingValue) => void;
  readonly problem: string | null;
}

function Setting({ field, value, onValue, problem }: SettingProps) {
  const { label, hint } = field;
  const common = { label, problem, ...(hint === undefined ? {} : { hint }) };
  switch (field.kind) {
    case "flag":
      return <SwitchField {...common} checked={value === true} onChecked={onValue} />;
    case "choice":
      return (
        <SelectField
          className="max-w-96"
          {...common}
          value={String(value)}
          onValue={onValue}
          choices={field.choices}
        />
      );
    case "duration":
      return (
        <DurationField
          className="max-w-40"
          {...common}
          seconds={typeof value === "number" ? value : undefined}
          onSeconds={(seconds) => {
            if (seconds !== undefined) onValue(seconds);
            else if (field.none === null) onValue(null);
          }}
        />
      );
    case "days":
      return (
        <TextField
          {...common}
          inputMode="numeric"
          className="max-w-40"
          value={value === null ? "" : String(value)}
          onValue={(text) => onValue(/^\d{1,6}$/.test(text) ? Number(text) : text === "" ? 0 : value)}
        />
      );
    default:
      return (
        <TextField
          className="max-w-96"
          {...common}
          value={String(value ?? "")}
          onValue={onValue}
          maxLength={256}
        />
      );
  }
}
