/**
 * The part of a group's form for what it requires at its machines.
 *
 * @module
 */
import { Disclosure } from "../../components/disclosure.tsx";
import { DurationField } from "../../components/duration-field.tsx";
import { CheckField, SelectField } from "../../components/field.tsx";
import { type GroupRequire, requireText } from "./group-require.ts";

interface GroupRequireFieldsProps {
  readonly require: GroupRequire;
  readonly onRequire: (require: GroupRequire) => void;
}

export function GroupRequireFields({ require, onRequire }: GroupRequireFieldsProps) {
  const put = (part: GroupRequire): void => onRequire({ ...require, ...part });
  return (
    <Disclosure title="Required at its machines" summary={requireText(require) || "what policies say"}>
      <SelectField
        label="Recording"
        value={require.record ?? "off"}
        onValue={(value) => put({ record: value as NonNullable<GroupRequire["record"]> })}
        choices={[
          { value: "off", label: "where a policy says so" },
          { value: "best_effort", label: "where possible" },
          { value: "required", label: "always: no recording, no session" },
        ]}
      />
      <DurationField
        label="Signed in within the last"
        hint="Such as 10m. Empty: whenever."
        seconds={require.reauth_within_seconds ?? undefined}
        onSeconds={(seconds) => put({ reauth_within_seconds: seconds ?? null })}
      />
      <CheckField
        label="Only with a reason"
        checked={require.reason === true}
        onChecked={(reason) => put({ reason })}
      />
      <CheckField
        label="Only with an approval"
        checked={require.approval === true}
        onChecked={(approval) => put({ approval })}
      />
    </Disclosure>
  );
}
