/**
 * Notification channels, which tell people about what concerns them by mail, Slack or a webhook.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Answer, Body } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { SegmentField } from "../../components/choice-field.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { CheckField, TextField } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { useToast } from "../../components/toasts.tsx";
import { WordsField } from "../../components/words-field.tsx";
import { OutletRow } from "./outlet-row.tsx";

type Channel = Answer<"GET /api/notifications">[number];
type Write = Body<"POST /api/notifications">;
type Topic = NonNullable<Write["topics"]>[number];

const TOPICS: readonly (readonly [topic: Topic, label: string])[] = [
  ["access_request", "Somebody asks for access"],
  ["sign_in_refused", "A sign-in is refused"],
  ["new_device", "A device is new"],
  ["policy_change", "A policy is changed"],
  ["log_inconsistent", "The log does not add up"],
];

export function NotificationsCard({ canSave }: { readonly canSave: boolean }) {
  const channels = useQuery(reading("GET /api/notifications"));
  const remove = useChange("DELETE /api/notifications/:channelId");
  const test = useChange("POST /api/notifications/:channelId/test");
  const tell = useToast();
  const [isAdding, setIsAdding] = useState(false);
  const tryOut = async ({ id, name }: Channel): Promise<void> => {
    const said = await test.mutateAsync({ params: { channelId: id } }).catch(() => null);
    tell(said?.ok === true ? `${name} has taken a test.` : `${name} has not: ${said?.error ?? "no answer"}.`);
  };
  const add = canSave ? <Button onClick={() => setIsAdding(true)}>Add a channel</Button> : null;
  return (
    <Card title="Notifications" actions={add}>
      <p className="mb-3 text-soft">What people should hear of at once.</p>
      <Loaded query={channels} rows={2}>
        {(all) =>
          all.length === 0 ? (
            <p className="text-soft">No channel yet. Add mail, Slack or a webhook.</p>
          ) : (
            <ul>
              {all.map((channel) => (
                <OutletRow
                  key={channel.id}
                  outlet={channel}
                  target={targetText(channel.target)}
                  canSave={canSave}
                  onTest={() => void tryOut(channel)}
                  onRemove={() => remove.mutateAsync({ params: { channelId: channel.id } })}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      {isAdding ? <AddChannel onClose={() => setIsAdding(false)} /> : null}
    </Card>
  );
}

function targetText(target: Channel["target"]): string {
  if (target.type === "email") return `mail to ${target.to.join(", ")}`;
  return target.type === "slack" ? `Slack at ${target.host}` : target.url;
}

function AddChannel({ onClose }: { readonly onClose: () => void }) {
  const create = useChange("POST /api/notifications");
  const [kind, setKind] = useState<Write["target"]["type"]>("email");
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [to, setTo] = useState<readonly string[]>([]);
  const [topics, setTopics] = useState<ReadonlySet<Topic>>(new Set(TOPICS.map(([topic]) => topic)));
  const submit = (): Promise<unknown> => {
    const target: Write["target"] =
      kind === "email" ? { type: kind, to: [...to] } : { type: kind, url: url.trim() };
    return create.mutateAsync({ body: { name: name.trim(), target, topics: [...topics] } });
  };
  const toggle = (topic: Topic, isOn: boolean): void => {
    const next = new Set(topics);
    if (isOn) next.add(topic);
    else next.delete(topic);
    setTopics(next);
  };
  const isAddressed = kind === "email" ? to.length > 0 : url.trim() !== "";
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title="Add a channel"
      submit="Add"
      disabled={name.trim() === "" || !isAddressed || topics.size === 0}
      onSubmit={submit}
    >
      <TextField label="Name" value={name} onValue={setName} maxLength={256} autoFocus />
      <SegmentField
        label="By"
        value={kind}
        onValue={setKind}
        choices={[
          { value: "email", label: "mail" },
          { value: "slack", label: "Slack" },
          { value: "webhook", label: "a webhook" },
        ]}
      />
      {kind === "email" ? (
        <WordsField label="To" values={to} onValues={setTo} placeholder="ops@example.com" />
      ) : (
        <TextField label="URL" hint="https only." value={url} onValue={setUrl} maxLength={2048} />
      )}
      <fieldset className="flex flex-col gap-1">
        <legend className="mb-1 font-medium">Of what</legend>
        {TOPICS.map(([topic, label]) => (
          <CheckField
            key={topic}
            label={label}
            checked={topics.has(topic)}
            onChecked={(isOn) => toggle(topic, isOn)}
          />
        ))}
      </fieldset>
    </FormDialog>
  );
}
