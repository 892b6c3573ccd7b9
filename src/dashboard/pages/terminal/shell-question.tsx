/**
 * Questions to the user of a shell: the whole address before a link opens, the lines before they are pasted
 * and would run at once, and the text before a program writes it to the clipboard.
 *
 * @module
 */
import { ConfirmDialog } from "../../components/dialog.tsx";

export interface Asked {
  readonly kind: "link" | "paste" | "copy";
  readonly text: string;
}

const WORDS: Readonly<Record<Asked["kind"], { title: string; verb: string; about: string }>> = {
  link: { title: "Open this address?", verb: "Open", about: "The machine's output names it:" },
  paste: {
    title: "Paste several lines?",
    verb: "Paste",
    about: "The program there runs each line as it comes:",
  },
  copy: {
    title: "Let this shell write to your clipboard?",
    verb: "Allow",
    about: "A program on the machine asks to, now with this. Your answer counts until the shell ends.",
  },
};

interface ShellQuestionProps {
  readonly asked: Asked | null;
  /** Also called after `onYes`. */
  onDone(): void;
  onYes(asked: Asked): Promise<void>;
}

export function ShellQuestion({ asked, onDone, onYes }: ShellQuestionProps) {
  const { title, verb, about } = WORDS[asked?.kind ?? "link"];
  return (
    <ConfirmDialog
      open={asked !== null}
      onOpenChange={(open) => !open && onDone()}
      title={title}
      verb={verb}
      weight={asked?.kind === "paste" ? "danger" : "primary"}
      onConfirm={async () => {
        if (asked !== null) await onYes(asked);
      }}
    >
      <p>{about}</p>
      <pre className="max-h-48 overflow-auto whitespace-pre-wrap break-all rounded-md bg-sunken p-2 font-mono text-xs">
        {asked?.text}
      </pre>
    </ConfirmDialog>
  );
}
