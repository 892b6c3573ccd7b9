/**
 * A part of a form that is collapsed until needed. A summary of its values stands beside its title.
 *
 * @module
 */
import { ChevronRight } from "lucide-react";
import { Collapsible } from "radix-ui";
import { type ReactNode, useState } from "react";

interface DisclosureProps {
  readonly title: string;
  /** The values set in it, in a few words. */
  readonly summary: string;
  /** Forces it open, such as when a field in it has a problem. */
  readonly isOpen?: boolean;
  readonly children: ReactNode;
}

export function Disclosure({ title, summary, isOpen = false, children }: DisclosureProps) {
  const [open, setOpen] = useState(isOpen);
  return (
    <Collapsible.Root open={open || isOpen} onOpenChange={setOpen} className="border-line border-t">
      <Collapsible.Trigger className="group flex min-h-11 w-full items-center gap-x-2 py-1 text-left max-sm:flex-wrap">
        <ChevronRight
          size={16}
          aria-hidden="true"
          className="shrink-0 text-soft group-data-[state=open]:rotate-90"
        />
        <span className="font-medium">{title}</span>
        <span className="min-w-0 flex-1 truncate text-right text-soft text-xs max-sm:basis-full max-sm:whitespace-normal max-sm:pl-6 max-sm:text-left max-sm:empty:hidden">
          {summary}
        </span>
      </Collapsible.Trigger>
      <Collapsible.Content className="grid grid-cols-1 gap-4 pt-1 pb-4 sm:grid-cols-2">
        {children}
      </Collapsible.Content>
    </Collapsible.Root>
  );
}
