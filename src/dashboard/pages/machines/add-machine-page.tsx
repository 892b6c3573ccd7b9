/**
 * "Add a machine": pick groups, copy one line, and watch the machine appear and turn green.
 *
 * @module
 */
import { useId, useState } from "react";
import { Card } from "../../components/card.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { MachineLine } from "./machine-line.tsx";

export function AddMachinePage() {
  const [groups, setGroups] = useState<ReadonlySet<string>>(new Set());
  const [only, setOnly] = useState<string | null>(null);
  const form = useId();
  return (
    <>
      <PageHeader title="Add a machine" about="One line on the machine, as root, and it is in the network." />
      <div className="flex max-w-3xl flex-col gap-4">
        <Card title="1. Groups it is in">
          <GroupPicker
            label="Policies that speak of these hold for it"
            chosen={groups}
            onChosen={setGroups}
            onOnly={setOnly}
            form={form}
          />
        </Card>
        <Card title="2. The line">
          <MachineLine form={form} groups={groups.size === 0 && only !== null ? new Set([only]) : groups} />
        </Card>
      </div>
    </>
  );
}
