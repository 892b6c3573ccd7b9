/**
 * Loads a recording into the player and shows how much has arrived. If it is more than the page can hold, it
 * plays the beginning and names the command that plays all of it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { saveFile } from "../../browser/save-file.ts";
import { Button } from "../../components/button.tsx";
import { FailureNotice, Note } from "../../components/notice.tsx";
import { type Cast, loadCast } from "../../recording/load-cast.ts";
import { Player } from "./player.tsx";
import { fileName, type Recording } from "./recording-words.ts";
import { bytesText } from "./session-words.ts";

export function LoadedPlayer({ recording }: { readonly recording: Recording }) {
  const { id, status, digest } = recording;
  const [chars, setChars] = useState(0);
  // A running recording is read once, as far as it goes now, and not again while it plays.
  const part = status === "running" ? "so far" : digest;
  const cast = useQuery({
    queryKey: ["cast", id, part],
    queryFn: ({ signal }) => loadCast(id, signal, setChars),
    ...{ staleTime: Number.POSITIVE_INFINITY, gcTime: 0, retry: false },
  });
  if (cast.error !== null) {
    return <FailureNotice error={cast.error} retry={() => void cast.refetch()} />;
  }
  if (cast.data === undefined) {
    return (
      <div className="flex aspect-video w-full items-center justify-center rounded-lg border border-line bg-card">
        <p role="status" className="text-soft tabular-nums">
          Reading the recording{chars === 0 ? "" : `: ${bytesText(chars)}`}…
        </p>
      </div>
    );
  }
  return <Whole recording={recording} cast={cast.data} />;
}

function Whole({ recording, cast }: { readonly recording: Recording; readonly cast: Cast }) {
  if (cast.events.length === 0) return <Note>Nothing was shown in this session.</Note>;
  const download = (): void => {
    saveFile(fileName(recording), cast.text.join(""), "application/x-asciicast");
  };
  return (
    <>
      {cast.isCut ? (
        <Note tone="warn">
          The page plays the beginning: there is more than it can hold.{" "}
          <code className="font-mono text-xs">qf session replay {recording.id}</code> plays all of it.
        </Note>
      ) : null}
      <Player cast={cast} />
      {cast.isCut ? null : (
        <div>
          <Button onClick={download}>
            <Download size={16} aria-hidden="true" />
            Download
          </Button>
        </div>
      )}
    </>
  );
}
