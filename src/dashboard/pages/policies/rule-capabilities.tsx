/**
 * Rule fields: what people may do once they are logged in, and what is required of them.
 *
 * @module
 */
import { SegmentField } from "../../components/choice-field.tsx";
import { Disclosure } from "../../components/disclosure.tsx";
import { DurationField } from "../../components/duration-field.tsx";
import { CheckField, SelectField } from "../../components/field.tsx";
import { WordsField } from "../../components/words-field.tsx";
import { type FileRule, withField } from "./policy-draft.ts";
import { RuleApproval } from "./rule-approval.tsx";
import type { RulePartProps } from "./rule-part.ts";

type Ssh = NonNullable<FileRule["ssh"]>;

interface CapabilitiesProps extends RulePartProps {
  readonly summary: string;
}

export function RuleCapabilities(props: CapabilitiesProps) {
  const { rule, onRule, problems, summary } = props;
  const ssh = rule.ssh ?? {};
  const set = <K extends keyof Ssh>(name: K, value: Ssh[K] | undefined): void => {
    const next = withField<Ssh, K>(ssh, name, value);
    onRule(withField(rule, "ssh", Object.keys(next).length === 0 ? undefined : next));
  };
  const problem = (name: keyof Ssh): string | null => problems.get(`ssh.${name}`) ?? null;
  const part = { ssh, set, problem };
  const isOpen = [...problems.keys()].some((field) => field.startsWith("ssh") || field.startsWith("approv"));
  return (
    <Disclosure title="What they may do" summary={summary} isOpen={isOpen}>
      <Sessions {...part} />
      <Forwards {...part} />
      <Obligations {...part} />
      <RuleApproval {...props} />
    </Disclosure>
  );
}

interface PartProps {
  readonly ssh: Ssh;
  readonly set: <K extends keyof Ssh>(name: K, value: Ssh[K] | undefined) => void;
  readonly problem: (name: keyof Ssh) => string | null;
}

const MACHINE = "machine";
/** Whether the dashboard's terminal may be used. */
const BROWSERS = [
  { value: "account", label: "as the account's settings say", says: undefined },
  { value: "yes", label: "yes", says: true },
  { value: "no", label: "no", says: false },
] as const;

function Sessions({ ssh, set, problem }: PartProps) {
  const isRestricted = ssh.commands !== undefined && ssh.commands !== null;
  return (
    <>
      <div className="flex flex-col gap-3 sm:col-span-2">
        <SegmentField
          label="Commands"
          value={isRestricted ? "these" : "any"}
          onValue={(value) => set("commands", value === "these" ? [] : undefined)}
          choices={[
            { value: "any", label: "a shell and any command" },
            { value: "these", label: "these only" },
          ]}
        />
        {isRestricted ? (
          <WordsField
            label="Command lines"
            hint="Such as /usr/bin/uptime. File transfer and forwarding are off unless set here."
            values={ssh.commands ?? []}
            onValues={(commands) => set("commands", commands)}
            hasSpaces
            problem={problem("commands")}
          />
        ) : null}
      </div>
      <SelectField
        label="File transfer"
        value={ssh.sftp ?? MACHINE}
        onValue={(value) => set("sftp", value === MACHINE ? undefined : (value as NonNullable<Ssh["sftp"]>))}
        choices={[
          { value: MACHINE, label: isRestricted ? "off" : "as the machine allows" },
          { value: "write", label: "upload and download" },
          { value: "read", label: "download only" },
          { value: "off", label: "off, also for scp and rsync" },
        ]}
        problem={problem("sftp")}
      />
      <WordsField
        label="Environment variables"
        hint="Names, with * at the end for a family. Empty: those that are usual."
        values={ssh.env ?? []}
        onValues={(names) => set("env", names.length === 0 ? undefined : names)}
        placeholder="LANG, LC_*"
        problem={problem("env")}
      />
      <CheckField
        label="A terminal"
        checked={ssh.pty !== false}
        onChecked={(pty) => set("pty", pty ? undefined : false)}
      />
      <CheckField
        label="Their SSH agent, lent to the machine"
        hint="Root on the machine can use it."
        checked={ssh.agent_forwarding === true}
        onChecked={(lent) => set("agent_forwarding", lent ? true : undefined)}
      />
    </>
  );
}

function Forwards({ ssh, set, problem }: PartProps) {
  const field = (name: "local_forward" | "remote_forward", label: string, open: string, hint: string) => {
    const list = ssh[name];
    const mode = list === undefined ? "any" : list.length === 0 ? "none" : "some";
    return (
      <div className="flex flex-col gap-2">
        <SegmentField
          label={label}
          value={mode === "some" ? "none" : mode}
          onValue={(value) => set(name, value === "any" ? undefined : (list ?? []))}
          choices={[
            { value: "any", label: open },
            { value: "none", label: "these only" },
          ]}
        />
        {list === undefined ? null : (
          <WordsField
            label={`${label}: addresses`}
            hint={hint}
            values={list}
            onValues={(targets) => set(name, targets)}
            placeholder="none"
            problem={problem(name)}
          />
        )}
      </div>
    );
  };
  return (
    <>
      {field("local_forward", "Forwarding out of it", "anywhere", "Such as db.internal:5432 or *:443.")}
      {field("remote_forward", "Listening for others", "at loopback", "Such as 127.0.0.1:*.")}
    </>
  );
}

function RecordingFields({ ssh, set, problem }: PartProps) {
  return (
    <>
      <SelectField
        label="Recording"
        value={ssh.record ?? "off"}
        onValue={(value) =>
          set("record", value === "off" ? undefined : (value as NonNullable<Ssh["record"]>))
        }
        choices={[
          { value: "off", label: "off" },
          { value: "best_effort", label: "where possible" },
          { value: "required", label: "required: no recording, no session" },
        ]}
        problem={problem("record")}
      />
      <CheckField
        label="Keep everything that is typed"
        hint="Passwords too. Only where recordings are encrypted."
        checked={ssh.record_input === "all"}
        onChecked={(all) => set("record_input", all ? "all" : undefined)}
      />
    </>
  );
}

function Obligations({ ssh, set, problem }: PartProps) {
  return (
    <>
      <RecordingFields ssh={ssh} set={set} problem={problem} />
      <DurationField
        label="Signed in within the last"
        hint="Such as 10m. Empty: whenever."
        seconds={ssh.reauth_within_seconds}
        onSeconds={(seconds) => set("reauth_within_seconds", seconds)}
        problem={problem("reauth_within_seconds")}
      />
      <DurationField
        label="Longest connection"
        seconds={ssh.max_session_seconds}
        onSeconds={(seconds) => set("max_session_seconds", seconds)}
        problem={problem("max_session_seconds")}
      />
      <DurationField
        label="Longest silence"
        seconds={ssh.idle_timeout_seconds}
        onSeconds={(seconds) => set("idle_timeout_seconds", seconds)}
        problem={problem("idle_timeout_seconds")}
      />
      <CheckField
        label="Only with a reason"
        checked={ssh.require_reason === true}
        onChecked={(needed) => set("require_reason", needed ? true : undefined)}
      />
      <SelectField
        label="From a browser"
        value={BROWSERS.find(({ says }) => says === ssh.allow_browsers)?.value ?? ""}
        onValue={(value) => set("allow_browsers", BROWSERS.find((one) => one.value === value)?.says)}
        choices={BROWSERS}
        problem={problem("allow_browsers")}
      />
      <CheckField
        label="Also from clients without a device of ours"
        hint="They sign in by their keyboard."
        checked={ssh.allow_unmanaged_devices === true}
        onChecked={(open) => set("allow_unmanaged_devices", open ? true : undefined)}
      />
    </>
  );
}
