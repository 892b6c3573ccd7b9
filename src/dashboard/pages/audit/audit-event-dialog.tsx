/**
 * A dialog with one complete audit event: its facts and its typed body, including the trace of a decision.
 *
 * @module
 */
import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import type { Answer } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Facts } from "../../components/card.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { Time } from "../../components/time.tsx";
import { activityText } from "./activity-words.ts";
import { words } from "./audit-words.ts";

type AuditEvent = Answer<"GET /api/events/audit">[number];

export function AuditEventDialog({ event }: { readonly event: AuditEvent }) {
  const text = JSON.stringify(event.data ?? event.meta, null, 2);
  return (
    <Dialog.Root>
      <Dialog.Trigger asChild>
        <Button size="small" weight="quiet">
          Details
        </Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="appear fixed inset-0 z-40 bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          className="appear fixed inset-y-0 right-0 z-50 flex w-[min(40rem,100vw)] flex-col overflow-y-auto border-line border-l bg-raised p-5 shadow-lift"
        >
          <div className="mb-4 flex items-start justify-between gap-4">
            <Dialog.Title className="font-semibold text-lg">{activityText(event.activity_code)}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton label="Close">
                <X size={18} aria-hidden="true" />
              </IconButton>
            </Dialog.Close>
          </div>
          <Facts
            facts={[
              ["Number", event.id],
              [
                "Code",
                <code key="code" className="font-mono text-xs">
                  {event.activity_code}
                </code>,
              ],
              ["When", <Time key="when" iso={event.timestamp} exact />],
              ["Who", [event.initiator_name, event.initiator_email].filter(Boolean).join(", ") || null],
              ...Object.entries(event.meta).map(([name, value]) => [words(name), value] as const),
            ]}
          />
          {event.data === undefined ? null : (
            <section className="mt-5">
              <div className="flex items-center justify-between">
                <h3 className="font-semibold">As it is stored</h3>
                <CopyButton text={text} label="Copy the event" />
              </div>
              <pre className="mt-1 overflow-x-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs">
                {text}
              </pre>
            </section>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
