/**
 * A menu of actions behind a button.
 *
 * @module
 */
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { classes } from "./class-names.ts";

export interface MenuAction {
  readonly label: string;
  readonly onSelect: () => void;
  readonly danger?: boolean;
  readonly disabled?: boolean;
}

/** A `null` action is a separator. */
export function Menu({
  trigger,
  actions,
  onClosed,
}: {
  readonly trigger: ReactNode;
  readonly actions: readonly (MenuAction | null)[];
  /** Called once it is closed. The trigger gets the focus, unless the event's default is prevented. */
  readonly onClosed?: (event: Event) => void;
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          {...(onClosed === undefined ? {} : { onCloseAutoFocus: onClosed })}
          className="appear z-50 min-w-44 rounded-md border border-line bg-raised p-1 shadow-lift"
        >
          {actions.map((action, index) =>
            action === null ? (
              <DropdownMenu.Separator key={`line-${index}`} className="my-1 h-px bg-line" />
            ) : (
              <DropdownMenu.Item
                key={action.label}
                disabled={action.disabled === true}
                onSelect={action.onSelect}
                className={classes(
                  "flex min-h-8 cursor-pointer select-none items-center rounded-sm px-2.5 outline-none " +
                    "data-disabled:cursor-not-allowed data-highlighted:bg-sunken data-disabled:opacity-50 " +
                    "pointer-coarse:min-h-11",
                  action.danger === true && "text-bad",
                )}
              >
                {action.label}
              </DropdownMenu.Item>
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
