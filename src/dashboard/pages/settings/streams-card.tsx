/**
 * Log streams, which forward every entry of the audit log to another system of the organisation.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { SegmentField } from "../../components/choice-field.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { CheckField, TextField } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { useToast } from "../../components/toasts.tsx";
import { OutletRow } from "./outlet-row.tsx";

type Stream = Answer<"GET /api/audit-streams">[number];

export function StreamsCard({ canSave }: { readonly canSave: boolean }) {
  const streams = useQuery(reading("GET /api/audit-streams"));
  const remove = useChange("DELETE /api/audit-streams/:streamId");
  const test = useChange("POST /api/audit-streams/:streamId/test");
  const tell = useToast();
  const [isAdding, setIsAdding] = useState(false);
  const tryOut = async ({ id, name }: Stream): Promise<void> => {
    const said = await test.mutateAsync({ params: { streamId: id } }).catch(() => null);
    tell(said?.ok === true ? `${name} has taken a test.` : `${name} has not: ${said?.error ?? "no answer"}.`);
  };
  const add = canSave ? <Button onClick={() => setIsAdding(true)}>Add a stream</Button> : null;
  return (
    <Card title="Log streams" actions={add}>
      <p className="mb-3 text-soft">Each entry of the audit log, passed on as it is written.</p>
      <Loaded query={streams} rows={2}>
        {(all) =>
          all.length === 0 ? (
            <p className="text-soft">No stream yet. Entries can go to a webhook or a syslog server.</p>
          ) : (
            <ul>
              {all.map((stream) => (
                <OutletRow
                  key={stream.id}
                  outlet={stream}
                  target={targetText(stream.target)}
                  canSave={canSave}
                  onTest={() => void tryOut(stream)}
                  onRemove={() => remove.mutateAsync({ params: { streamId: stream.id } })}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      {isAdding ? <AddStream onClose={() => setIsAdding(false)} /> : null}
    </Card>
  );
}

function targetText(target: Stream["target"]): string {
  if (target.type === "webhook") return target.url;
  return `syslog ${target.host}:${target.port}${target.tls ? ", by TLS" : ", in the clear"}`;
}

function AddStream({ onClose }: { readonly onClose: () => void }) {
  const create = useChange("POST /api/audit-streams");
  const [kind, setKind] = useState<"webhook" | "syslog">("webhook");
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [port, setPort] = useState("6514");
  const [tls, setTls] = useState(true);
  const [secret, setSecret] = useState<string | null>(null);
  const submit = async (): Promise<void> => {
    const target =
      kind === "webhook"
        ? { type: "webhook" as const, url: url.trim() }
        : { type: "syslog" as const, host: url.trim(), port: Number(port), tls };
    const made = await create.mutateAsync({ body: { name: name.trim(), target } });
    if (made.secret === undefined) onClose();
    else setSecret(made.secret);
  };
  if (secret !== null) return <Secret secret={secret} onClose={onClose} />;
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title="Add a stream"
      submit="Add"
      disabled={name.trim() === "" || url.trim() === ""}
      onSubmit={submit}
      isKeptOpen
    >
      <TextField label="Name" value={name} onValue={setName} maxLength={256} autoFocus />
      <SegmentField
        label="To"
        value={kind}
        onValue={setKind}
        choices={[
          { value: "webhook", label: "a webhook" },
          { value: "syslog", label: "syslog" },
        ]}
      />
      {kind === "webhook" ? (
        <TextField label="URL" hint="https only." value={url} onValue={setUrl} maxLength={2048} />
      ) : (
        <>
          <TextField label="Host" value={url} onValue={setUrl} maxLength={253} />
          <TextField label="Port" value={port} onValue={setPort} inputMode="numeric" maxLength={5} />
          <CheckField label="By TLS" checked={tls} onChecked={setTls} />
        </>
      )}
    </FormDialog>
  );
}

interface SecretProps {
  readonly secret: string;
  readonly onClose: () => void;
}

function Secret({ secret, onClose }: SecretProps) {
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title="The secret of its signatures"
      submit="Done"
      onSubmit={async () => {}}
    >
      <p>The receiver checks signatures with it. It is not shown again.</p>
      <CopyLine label="Copy the secret" text={secret} />
    </FormDialog>
  );
}
