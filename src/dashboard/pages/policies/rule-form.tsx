/**
 * A rule as a form, under the sentence that it means.
 *
 * @module
 */
import { isSshProtocol } from "../../../policy/decide/snapshot.ts";
import { SegmentField } from "../../components/choice-field.tsx";
import { Disclosure } from "../../components/disclosure.tsx";
import { CheckField, SelectField, TextField } from "../../components/field.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { WordsField } from "../../components/words-field.tsx";
import { type FileRule, withField } from "./policy-draft.ts";
import { portsText, writePorts } from "./port-text.ts";
import { RuleCapabilities } from "./rule-capabilities.tsx";
import { RuleConditions } from "./rule-conditions.tsx";
import type { RulePartProps } from "./rule-part.ts";
import { RulePeople } from "./rule-people.tsx";
import { capabilityClauses, obligationClauses, timeClauses } from "./rule-words.ts";

const PROTOCOLS = [
  { value: "qufabric-ssh", label: "SSH" },
  { value: "tcp", label: "TCP" },
  { value: "udp", label: "UDP" },
  { value: "icmp", label: "ICMP (ping)" },
  { value: "all", label: "Every protocol" },
];
const ALIAS = { value: "netbird-ssh", label: "SSH (netbird-ssh)" };

export function RuleForm(props: RulePartProps) {
  const { rule, onRule, problems } = props;
  const protocol = rule.protocol ?? "qufabric-ssh";
  const isSsh = isSshProtocol({ protocol });
  const isDrop = rule.action === "drop";
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-end gap-4">
        <SegmentField
          label="It"
          value={rule.action ?? "accept"}
          onValue={(action) => onRule(withField(rule, "action", action === "drop" ? "drop" : undefined))}
          choices={[
            { value: "accept", label: "allows" },
            { value: "drop", label: "denies" },
          ]}
        />
        <div className="w-44">
          <SelectField
            label="Protocol"
            value={protocol}
            onValue={(value) => onRule(withProtocol(rule, value))}
            choices={protocol === "netbird-ssh" ? [ALIAS, ...PROTOCOLS] : PROTOCOLS}
            problem={problems.get("protocol") ?? null}
          />
        </div>
      </div>
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Side {...props} side="source" label="From" />
        <Side {...props} side="destination" label="To" />
      </div>
      {isSsh ? <RulePeople {...props} /> : <NetworkFields {...props} />}
      <div>
        {isSsh && !isDrop ? <RuleCapabilities {...props} summary={summaryOf(rule)} /> : null}
        <RuleConditions {...props} isSsh={isSsh} summary={timeClauses(rule).join(", ") || "always"} />
        <Disclosure
          title="Name and description"
          summary={rule.name ?? ""}
          isOpen={problems.has("name") || problems.has("description")}
        >
          <TextField
            label="Name of the rule"
            value={rule.name ?? ""}
            onValue={(name) => onRule(withField(rule, "name", name === "" ? undefined : name))}
            problem={problems.get("name") ?? null}
            maxLength={256}
          />
          <TextField
            label="Description of the rule"
            value={rule.description ?? ""}
            onValue={(text) => onRule(withField(rule, "description", text === "" ? undefined : text))}
            problem={problems.get("description") ?? null}
          />
        </Disclosure>
      </div>
      {problems.has("") ? <p className="text-bad text-xs">{problems.get("")}</p> : null}
    </div>
  );
}

function summaryOf(rule: FileRule): string {
  const all = [...capabilityClauses(rule.ssh), ...obligationClauses(rule)];
  return all.length === 0 ? "all that the machine allows" : all.join(", ");
}

/** Sets the protocol and drops the fields that do not apply to it. */
function withProtocol(rule: FileRule, value: string): FileRule {
  const protocol = value as NonNullable<FileRule["protocol"]>;
  const next = withField(rule, "protocol", protocol === "qufabric-ssh" ? undefined : protocol);
  if (isSshProtocol({ protocol })) {
    const { ports: _, port_ranges: __, machine_local_users: ___, bidirectional: ____, ...rest } = next;
    return { authorized_groups: { "": [] }, ...rest };
  }
  const { ssh: _, authorized_groups: __, approver_groups: ___, approval_seconds: ____, ...others } = next;
  const { allow_intercepted: _____, ...rest } = others;
  return protocol === "icmp" || protocol === "all" ? writePorts(rest, "") : rest;
}

interface SideProps extends RulePartProps {
  readonly side: "source" | "destination";
  readonly label: string;
}

/** Picks groups, or one peer. */
function Side({ rule, onRule, choices, problems, side, label }: SideProps) {
  const [groups, peer] = [`${side}s`, `${side}_peer`] as [`${typeof side}s`, `${typeof side}_peer`];
  const one = rule[peer];
  const isOne = one !== undefined;
  const toggle = (single: boolean): void =>
    onRule(
      single
        ? withField(withField(rule, groups, undefined), peer, "")
        : withField(withField(rule, peer, undefined), groups, []),
    );
  return (
    <div className="flex flex-col gap-2">
      {isOne ? (
        <NamesField
          label={`${label} one ${side === "source" ? "device or machine" : "machine"}`}
          values={one === "" ? [] : [one]}
          onValues={([name = ""]) => onRule(withField(rule, peer, name))}
          choices={choices.machines}
          add="Choose it"
          single
          problem={problems.get(peer) ?? null}
        />
      ) : (
        <NamesField
          label={label}
          hint={side === "source" ? "Devices and people. All is anywhere." : "Machines. All is every one."}
          values={rule[groups] ?? []}
          onValues={(names) => onRule(withField(rule, groups, names))}
          choices={choices.groups}
          add="Add a group"
          problem={problems.get(groups) ?? null}
        />
      )}
      <CheckField
        label={side === "source" ? "One device or machine only" : "One machine only"}
        checked={isOne}
        onChecked={toggle}
      />
    </div>
  );
}

function NetworkFields({ rule, onRule, problems }: RulePartProps) {
  const hasPorts = rule.protocol === "tcp" || rule.protocol === "udp";
  return (
    <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
      {hasPorts ? (
        <WordsField
          label="Ports"
          hint="Numbers, or ranges such as 8000-8100. Empty: every port."
          values={portsText(rule)}
          onValues={(words) => onRule(writePorts(rule, words.join(" ")))}
          problem={problems.get("ports") ?? problems.get("port_ranges") ?? null}
        />
      ) : null}
      {rule.protocol === "tcp" || rule.protocol === "all" ? (
        <WordsField
          label="Local users of machines that sign in by themselves"
          hint="For machines with --disable-ssh-auth. Empty: all but root."
          values={rule.machine_local_users ?? []}
          onValues={(users) =>
            onRule(withField(rule, "machine_local_users", users.length === 0 ? undefined : users))
          }
          problem={problems.get("machine_local_users") ?? null}
        />
      ) : null}
      <CheckField
        label="And the other way round"
        checked={rule.bidirectional === true}
        onChecked={(both) => onRule(withField(rule, "bidirectional", both ? true : undefined))}
      />
    </div>
  );
}
