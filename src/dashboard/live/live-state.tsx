/**
 * Tells when the page is not live, and when the session is about to end or has ended. Shows nothing
 * otherwise.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { AlertDialog } from "radix-ui";
import { useEffect, useState } from "react";
import { callApi } from "../api/client.ts";
import { signInAgain } from "../browser/sign-in.ts";
import { Badge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { type Ending, followLive, type LiveStatus } from "./live-feed.ts";

export function LiveState() {
  const client = useQueryClient();
  const [status, setStatus] = useState<LiveStatus>("live");
  const [ending, setEnding] = useState<Ending | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    void followLive(client, { onStatus: setStatus, onEnding: setEnding }, stop.signal);
    return () => stop.abort();
  }, [client]);
  return (
    <div role="status" className="flex items-center gap-2">
      {status === "reconnecting" ? (
        <span className={ending === null ? undefined : "max-md:sr-only"}>
          <Badge tone="warn">Reconnecting…</Badge>
        </span>
      ) : null}
      {ending === null ? null : <EndsSoon ending={ending} onExtended={() => setEnding(null)} />}
      <SessionOver open={status === "over"} />
    </div>
  );
}

interface EndsSoonProps {
  readonly ending: Ending;
  readonly onExtended: () => void;
}

/**
 * Warns of the end of the session. Any request postpones an end from inactivity; the end after 12 hours needs
 * a sign-in.
 */
function EndsSoon({ ending, onExtended }: EndsSoonProps) {
  const { secondsLeft, mayExtend } = ending;
  const [busy, setBusy] = useState(false);
  const extend = async (): Promise<void> => {
    setBusy(true);
    // A failure means that the session is over or the connection lost, which are both shown elsewhere.
    await callApi("GET /api/web-sessions").then(onExtended, () => {});
    setBusy(false);
  };
  const minutes = Math.max(1, Math.ceil(secondsLeft / 60));
  return (
    <>
      <span className="max-md:sr-only">
        <Badge tone="warn">You are signed out in {minutes === 1 ? "1 minute" : `${minutes} minutes`}</Badge>
      </span>
      <Button size="small" busy={busy} onClick={mayExtend ? () => void extend() : signInAgain}>
        {mayExtend ? "Stay signed in" : "Sign in again"}
      </Button>
    </>
  );
}

/** Keeps the page's content until the user leaves the page. */
function SessionOver({ open }: { readonly open: boolean }) {
  return (
    <AlertDialog.Root open={open}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="appear fixed inset-0 z-40 bg-shade" />
        <AlertDialog.Content className="appear fixed inset-x-0 top-[20vh] z-50 mx-auto w-[min(26rem,calc(100vw-2rem))] rounded-lg border border-line bg-raised p-5 shadow-lift">
          <AlertDialog.Title className="font-semibold text-lg">Your session is over</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-soft">
            Sign in again, and you come back to this page. A draft that you were editing is kept.
          </AlertDialog.Description>
          <div className="mt-5 flex justify-end">
            <AlertDialog.Action asChild>
              <Button weight="primary" onClick={signInAgain}>
                Sign in
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
