/**
 * A dialog that lists the keys that a terminal keeps for itself.
 *
 * @module
 */
import { FormDialog } from "../../components/dialog.tsx";
import { SCREEN_KEYS } from "../../terminal/own-keys.ts";

export function KeysDialog({ open, onClose }: { readonly open: boolean; onClose(): void }) {
  return (
    <FormDialog
      open={open}
      onOpenChange={(is) => !is && onClose()}
      title="Keys of the terminal"
      about="All others go to the machine. Ctrl W, T and N are the browser's, but in full screen."
      submit="Close"
      onSubmit={async () => {}}
      isOnlyShown
    >
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 max-sm:grid-cols-1 max-sm:gap-y-0.5">
        {SCREEN_KEYS.map(([keys, does]) => (
          <div key={keys} className="contents">
            <dt className="font-mono text-sm">{keys}</dt>
            <dd className="text-soft max-sm:mb-2">{does}</dd>
          </div>
        ))}
      </dl>
    </FormDialog>
  );
}
