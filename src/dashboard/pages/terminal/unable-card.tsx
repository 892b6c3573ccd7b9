/**
 * Shown if the browser lacks what a terminal needs: browsers that have it, and the command that always works.
 *
 * @module
 */
import { CopyLine } from "../../components/copy-button.tsx";
import { Empty } from "../../components/notice.tsx";

export function UnableCard({ command }: { readonly command: string }) {
  return (
    <Empty title="This browser cannot open a terminal">
      <p>
        It lacks Ed25519 and X25519 keys that no script can read, or does not let pages keep any. Chrome and
        Edge from 137, Firefox from 130 and Safari from 17 have them; a private window may not. In a terminal
        of your own it works with any:
      </p>
      <div className="mx-auto mt-4 max-w-lg text-left text-ink">
        <CopyLine label="Copy the command" text={command} />
      </div>
    </Empty>
  );
}
