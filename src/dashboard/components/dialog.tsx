/**
 * Dialogs: one with a form, and one that confirms before something is lost.
 *
 * @module
 */
import { X } from "lucide-react";
import { AlertDialog, Dialog as RadixDialog } from "radix-ui";
import { type FormEvent, type ReactNode, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { FreshSignInNote, wantsFreshSignIn } from "./fresh-sign-in-note.tsx";
import { FailureNotice } from "./notice.tsx";
import { useOpener } from "./use-opener.tsx";

const SHADE = "appear fixed inset-0 z-40 bg-shade";
const BOX =
  "appear fixed inset-x-0 top-[8vh] z-50 mx-auto flex max-h-[84vh] w-[min(34rem,calc(100vw-2rem))] flex-col " +
  "rounded-lg border border-line bg-raised shadow-lift";

interface FormDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  readonly about?: ReactNode;
  readonly children: ReactNode;
  /** The verb on the submit button. */
  readonly submit: string;
  /** A rejection is shown as an error, and the dialog stays open. */
  readonly onSubmit: () => Promise<unknown>;
  readonly disabled?: boolean;
  /** Whether submitting ends or loses something. */
  readonly danger?: boolean;
  /** Problems that the fields show. If there are any, the dialog does not repeat the refusal. */
  readonly problems?: readonly (string | null)[];
  /** Whether there is nothing to cancel, because the dialog asks nothing. */
  readonly isOnlyShown?: boolean;
  /** Whether the dialog stays open after success, because its caller then shows something else. */
  readonly isKeptOpen?: boolean;
}

/**
 * A form in a dialog. It closes when `onSubmit` resolves, and stays open with the error when it rejects. If
 * the API requires a fresh sign-in, the dialog says so and links to it.
 */
export function FormDialog(props: FormDialogProps) {
  const { busy, error, run, reset } = useRun(() => {
    if (props.isKeptOpen !== true) props.onOpenChange(false);
  });
  const giveBack = useOpener(props.open);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    void run(props.onSubmit);
  };
  return (
    <RadixDialog.Root
      open={props.open}
      onOpenChange={(open) => {
        reset();
        props.onOpenChange(open);
      }}
    >
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={SHADE} />
        <RadixDialog.Content
          className={BOX}
          onCloseAutoFocus={giveBack}
          {...(props.about === undefined ? { "aria-describedby": undefined } : {})}
        >
          <form onSubmit={submit} className="flex min-h-0 flex-col" noValidate>
            <FormHead title={props.title} />
            <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5 py-3">
              {props.about === undefined ? null : (
                <RadixDialog.Description className="text-soft">{props.about}</RadixDialog.Description>
              )}
              {props.children}
              <Failure error={error} verb={props.submit} problems={props.problems ?? []} />
            </div>
            <div className="flex justify-end gap-2 border-line border-t px-5 py-3">
              {props.isOnlyShown === true ? null : (
                <RadixDialog.Close asChild>
                  <Button>Cancel</Button>
                </RadixDialog.Close>
              )}
              <Button
                type="submit"
                weight={props.danger === true ? "danger" : "primary"}
                busy={busy}
                disabled={props.disabled === true}
              >
                {props.submit}
              </Button>
            </div>
          </form>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

function FormHead({ title }: { readonly title: string }) {
  return (
    <div className="flex items-start justify-between gap-4 px-5 pt-4">
      <RadixDialog.Title className="min-w-0 font-semibold text-lg">{title}</RadixDialog.Title>
      <RadixDialog.Close asChild>
        <IconButton label="Close" className="-mt-1 -mr-2">
          <X size={18} aria-hidden="true" />
        </IconButton>
      </RadixDialog.Close>
    </div>
  );
}

interface ConfirmDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  /** What ends or is lost. */
  readonly children: ReactNode;
  /** The verb on the confirming button. */
  readonly verb: string;
  /** `primary` if nothing is lost, such as for granting a permission. */
  readonly weight?: "danger" | "primary";
  readonly onConfirm: () => Promise<unknown>;
  readonly disabled?: boolean;
}

/** Asks before something is lost. Cancel has the focus at first. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { busy, error, run, reset } = useRun(() => props.onOpenChange(false));
  const giveBack = useOpener(props.open);
  return (
    <AlertDialog.Root
      open={props.open}
      onOpenChange={(open) => {
        reset();
        props.onOpenChange(open);
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={SHADE} />
        <AlertDialog.Content className={BOX} onCloseAutoFocus={giveBack}>
          <AlertDialog.Title className="px-5 pt-4 font-semibold text-lg">{props.title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="flex flex-col gap-3 overflow-y-auto px-5 py-3">
              {props.children}
              <Failure error={error} verb={props.verb} />
            </div>
          </AlertDialog.Description>
          <div className="flex justify-end gap-2 border-line border-t px-5 py-3">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button
              weight={props.weight ?? "danger"}
              busy={busy}
              disabled={props.disabled === true}
              onClick={() => void run(props.onConfirm)}
            >
              {props.verb}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

interface FailureProps {
  readonly error: unknown;
  readonly verb: string;
  readonly problems?: readonly (string | null)[];
}

function Failure({ error, verb, problems = [] }: FailureProps) {
  if (error === null) return null;
  if (problems.some((problem) => problem !== null)) {
    return (
      <p role="alert" className="text-bad">
        Nothing is saved yet: look at the marked field.
      </p>
    );
  }
  if (wantsFreshSignIn(error)) return <FreshSignInNote confirm={error.confirm} verb={verb} />;
  return <FailureNotice error={error} />;
}

function useRun(onDone: () => void) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await work();
      onDone();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, reset: () => setError(null) };
}
