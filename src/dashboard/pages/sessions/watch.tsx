/**
 * The screen of a running session, about a second behind.
 *
 * @module
 */
import { useEffect, useRef, useState } from "react";
import { Button } from "../../components/button.tsx";
import { FailureNotice, Note } from "../../components/notice.tsx";
import { CastLines } from "../../recording/cast.ts";
import { type WatchEnd, watchRecording } from "../../recording/watch-link.ts";
import type { Recording } from "./recording-words.ts";

type State =
  | { readonly at: "watching" }
  | { readonly at: "ended"; readonly why: WatchEnd }
  | { readonly at: "failed"; readonly error: unknown };

const WATCHING: State = { at: "watching" };

export function Watch({ recording }: { readonly recording: Pick<Recording, "id"> }) {
  const { id } = recording;
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<State>(WATCHING);
  const again = (): void => {
    setState(WATCHING);
    setAttempt(attempt + 1);
  };
  return (
    <>
      <Ending state={state} again={again} />
      <WatchedScreen key={attempt} id={id} onState={setState} />
      <p className="text-soft">
        You see what the person sees, a moment later. Nothing that you type here reaches the session, and it
        goes on when you leave. That you watch is in the audit log.
      </p>
    </>
  );
}

function Ending({ state, again }: { readonly state: State; readonly again: () => void }) {
  if (state.at === "watching") return null;
  if (state.at === "failed") return <FailureNotice error={state.error} retry={again} />;
  if (state.why === "over") return <Note>The session is over.</Note>;
  if (state.why === "forbidden") return <Note tone="warn">You may not watch this session any more.</Note>;
  return (
    <Note tone="warn">
      <p className="mb-3">The connection to the server was lost. The session may go on.</p>
      <Button size="small" onClick={again}>
        Watch again
      </Button>
    </Note>
  );
}

interface WatchedScreenProps {
  readonly id: string;
  readonly onState: (state: State) => void;
}

function WatchedScreen({ id, onState }: WatchedScreenProps) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const stop = new AbortController();
    const tell = (state: State): void => {
      if (!stop.signal.aborted) onState(state);
    };
    follow(id, element.current, stop.signal)
      .then((why) => tell({ at: "ended", why }))
      .catch((error: unknown) => tell({ at: "failed", error }));
    return () => stop.abort();
  }, [id, onState]);
  return (
    <section aria-label="Screen" className="overflow-x-auto rounded-lg border border-line bg-sunken p-2">
      <div ref={element} className="min-h-40" />
    </section>
  );
}

async function follow(id: string, element: HTMLElement | null, signal: AbortSignal): Promise<WatchEnd> {
  const { openWatchScreen } = await import("../../recording/watch-screen.ts");
  if (element === null || signal.aborted) return "lost";
  const screen = openWatchScreen(element);
  signal.addEventListener("abort", () => screen.close());
  const lines = new CastLines();
  let isFirst = true;
  return watchRecording(id, {
    origin: window.location.origin,
    signal,
    onLines: (text) => {
      const events = lines.read(text);
      if (isFirst) screen.resize(lines.size);
      isFirst = false;
      screen.show(events);
    },
  });
}
