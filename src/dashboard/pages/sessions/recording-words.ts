/**
 * Words for recordings.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

export type Recording = Answer<"GET /api/recordings/:recordingId">;

const KINDS: Readonly<Record<Recording["kind"], string>> = {
  shell: "shell",
  exec: "command",
  sftp: "files",
};

const WHYS: Readonly<Record<string, string>> = {
  management_away: "management was away for too long",
  spool_full: "the machine had no room for more",
  refused: "management refused a part of it",
  agent_stopped: "the agent stopped",
  unechoed: "commands may have been typed unseen",
  failed: "recording failed",
};

export function kindText({ kind }: Pick<Recording, "kind">): string {
  return KINDS[kind];
}

/** The status in a word or two. */
export function statusText({ status }: Pick<Recording, "status">): string {
  if (status === "running") return "goes on";
  return status === "cut" ? "not whole" : "whole";
}

/** Why the recording is incomplete. Null if it is complete or still running. */
export function cutText({ status, why }: Pick<Recording, "status" | "why">): string | null {
  if (status !== "cut") return null;
  return WHYS[why ?? ""] ?? "it was cut off";
}

/** The command that plays or follows an encrypted recording. Pages never get its key. */
export function commandFor({ id, status }: Pick<Recording, "id" | "status">): string {
  return status === "running"
    ? `qf session watch ${id} --identity FILE`
    : `qf session replay ${id} --identity FILE`;
}

/** Name of the file that it is downloaded as. */
export function fileName({
  machine,
  local_user,
  id,
}: Pick<Recording, "machine" | "local_user" | "id">): string {
  const safe = (text: string): string => text.replace(/[^\w.-]/g, "_").slice(0, 40);
  return `${safe(local_user)}-${safe(machine)}-${id}.cast`;
}
