/**
 * The third step: the line that joins a machine, and the machine as it arrives.
 *
 * @module
 */
import { MachineLine } from "../machines/machine-line.tsx";

export function MachineStep() {
  return (
    <div className="flex flex-col gap-4">
      <p>Any Linux host that you can be root on. Its own sshd stays as it is.</p>
      <MachineLine groups={NONE} />
    </div>
  );
}

const NONE: ReadonlySet<string> = new Set();
