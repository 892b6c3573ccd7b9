/**
 * Terminal settings: colours, copying, and what a screen reader hears. Each applies at once.
 *
 * @module
 */
import { FormDialog } from "../../components/dialog.tsx";
import { SelectField, SwitchField } from "../../components/field.tsx";
import { SCHEME_NAMES, schemeNamed } from "../../terminal/colour-schemes.ts";
import type { TerminalLook } from "./use-terminal-look.tsx";

interface SettingsDialogProps {
  readonly open: boolean;
  onClose(): void;
  readonly look: TerminalLook;
}

const SCHEMES = SCHEME_NAMES.map((value) => ({
  value,
  label: value === "page" ? "As the page" : value.slice(0, 1).toUpperCase() + value.slice(1),
}));

export function SettingsDialog({ open, onClose, look }: SettingsDialogProps) {
  return (
    <FormDialog
      open={open}
      onOpenChange={(is) => !is && onClose()}
      title="Terminal settings"
      about="They apply at once, and stay in this browser."
      submit="Close"
      onSubmit={async () => {}}
      isOnlyShown
    >
      <SelectField
        label="Colours"
        value={look.scheme}
        onValue={(name) => look.set({ scheme: schemeNamed(name) })}
        choices={SCHEMES}
      />
      <SwitchField
        label="Copy what is selected"
        hint="As soon as the pointer is let go."
        checked={look.copyOnSelect}
        onChecked={(copyOnSelect) => look.set({ copyOnSelect })}
      />
      <SwitchField
        label="Ctrl C copies a selection"
        hint="Without a selection it still goes to the machine."
        checked={look.ctrlCopies}
        onChecked={(ctrlCopies) => look.set({ ctrlCopies })}
      />
      <SwitchField
        label="Screen reader"
        hint="New output is read out. Ctrl F6 leaves the terminal."
        checked={look.isRead}
        onChecked={(isRead) => look.set({ isRead })}
      />
    </FormDialog>
  );
}
