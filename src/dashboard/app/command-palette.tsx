/**
 * Ctrl+K palette: go to a page, machine, person or group by part of its name.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Dialog } from "radix-ui";
import { reading } from "../api/queries.ts";
import { useOpener } from "../components/use-opener.tsx";
import { seesAccount, useMe } from "./me.ts";
import { ACCOUNT_ITEM, type NavigationPart } from "./navigation.ts";

interface CommandPaletteProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly parts: readonly NavigationPart[];
}

const ITEM =
  "flex min-h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-accent-ground";
/** Shown per kind. The kind's own page finds the rest. */
const SHOWN_MAX = 200;
const GROUP =
  "**:[[cmdk-group-heading]]:px-2.5 **:[[cmdk-group-heading]]:py-1 **:[[cmdk-group-heading]]:text-soft **:[[cmdk-group-heading]]:text-xs";

export function CommandPalette({ open, onOpenChange, parts }: CommandPaletteProps) {
  const me = useMe();
  const giveBack = useOpener(open);
  const navigate = useNavigate();
  const go = (to: string): void => {
    onOpenChange(false);
    void navigate({ to });
  };
  const pages = [...parts.flatMap((part) => part.items), ACCOUNT_ITEM];
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="appear fixed inset-0 z-40 bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={giveBack}
          className="appear fixed inset-x-0 top-[12vh] z-50 mx-auto w-[min(36rem,calc(100vw-2rem))] rounded-lg border border-line bg-raised shadow-lift"
        >
          <Dialog.Title className="sr-only">Search and go</Dialog.Title>
          <Command label="Search and go" loop>
            <Command.Input
              autoFocus
              placeholder="A page, a machine, a person…"
              className="h-12 w-full border-line border-b bg-transparent px-4 text-base outline-none placeholder:text-soft"
            />
            <Command.List className="max-h-96 overflow-y-auto p-2">
              <Command.Empty className="px-2.5 py-6 text-center text-soft">
                Nothing by that name.
              </Command.Empty>
              <Command.Group heading="Pages" className={GROUP}>
                {pages.map(({ to, label, icon: Icon }) => (
                  <Command.Item key={to} value={label} onSelect={() => go(to)} className={ITEM}>
                    <Icon size={16} aria-hidden="true" />
                    {label}
                  </Command.Item>
                ))}
              </Command.Group>
              {seesAccount(me) ? <Things go={go} /> : null}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface Thing {
  readonly id: string;
  readonly name: string;
  readonly note: string;
}

/** Machines, people and groups by name, each a link to its page. */
function Things({ go }: { readonly go: (to: string) => void }) {
  const peers = useQuery(reading("GET /api/peers"));
  const users = useQuery(reading("GET /api/users"));
  const groups = useQuery(reading("GET /api/groups"));
  const machines = (peers.data ?? []).filter(({ kind }) => kind === "machine");
  const kinds: readonly (readonly [heading: string, section: string, things: readonly Thing[]])[] = [
    ["Machines", "machines", machines.map(({ id, name, dns_label }) => ({ id, name, note: dns_label }))],
    [
      "People",
      "people",
      (users.data ?? []).map(({ id, name, email }) => ({ id, name: name || email, note: name ? email : "" })),
    ],
    ["Groups", "groups", (groups.data ?? []).map(({ id, name }) => ({ id, name, note: "" }))],
  ];
  return kinds.map(([heading, section, things]) =>
    things.length === 0 ? null : (
      <Command.Group key={section} heading={heading} className={GROUP}>
        {things.slice(0, SHOWN_MAX).map(({ id, name, note }) => (
          <Command.Item
            key={id}
            value={`${name} ${note} ${id}`}
            onSelect={() => go(`/${section}/${id}`)}
            className={ITEM}
          >
            <bdi className="min-w-0 truncate">{name}</bdi>
            <span className="min-w-0 truncate text-soft">{note}</span>
          </Command.Item>
        ))}
      </Command.Group>
    ),
  );
}
