/**
 * Copies text such as a command, a key or an address.
 *
 * @module
 */
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./button.tsx";

const SAID_MS = 2_000;

export function CopyButton({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setSaid(true);
    setTimeout(() => setSaid(false), SAID_MS);
  };
  return (
    <>
      <IconButton label={label} onClick={() => void copy()}>
        {said ? <Check size={16} aria-hidden="true" /> : <Copy size={16} aria-hidden="true" />}
      </IconButton>
      <span role="status" className="sr-only">
        {said ? "Copied" : ""}
      </span>
    </>
  );
}

/** A line of text with a button that copies it. */
export function CopyLine({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="flex items-center gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-3">
      <code className="min-w-0 flex-1 overflow-x-auto whitespace-pre py-1 font-mono text-xs max-sm:whitespace-pre-wrap max-sm:wrap-anywhere">
        {text}
      </code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
