/**
 * Says when what is shown is not live, and when the session is over. Nothing while all is well.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { AlertDialog } from "radix-ui";
import { useEffect, useState } from "react";
import { signInAgain } from "../browser/sign-in.ts";
import { Badge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { followLive, type LiveStatus } from "./live-feed.ts";

export function LiveState() {
  const client = useQueryClient();
  const [status, setStatus] = useState<LiveStatus>("live");
  useEffect(() => {
    const stop = new AbortController();
    void followLive(client, setStatus, stop.signal);
    return () => stop.abort();
  }, [client]);
  return (
    <div role="status" className="flex items-center">
      {status === "reconnecting" ? <Badge tone="warn">Reconnecting…</Badge> : null}
      <SessionOver open={status === "over"} />
    </div>
  );
}

/** What is on the page stays there until the person leaves it. */
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
