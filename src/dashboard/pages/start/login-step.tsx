/**
 * The last step: the first login, in this browser or from a terminal, shown as it happens.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { reading } from "../../api/queries.ts";
import { serverOrigin } from "../../browser/server-origin.ts";
import { ButtonLink } from "../../components/button.tsx";
import { CopyLine } from "../../components/copy-button.tsx";

export function LoginStep({ isDone }: { readonly isDone: boolean }) {
  const peers = useQuery(reading("GET /api/peers"));
  const machine = (peers.data ?? []).find(({ kind }) => kind === "machine");
  const name = machine?.name ?? "MACHINE";
  return (
    <div className="flex flex-col gap-4">
      {isDone ? (
        <p role="status" className="flex items-center gap-2 font-medium">
          <CircleCheck size={20} aria-hidden="true" className="text-good" />
          Somebody has logged in. That is all there is to it.
        </p>
      ) : (
        <p role="status" className="text-soft">
          {machine === undefined
            ? "First add a machine."
            : "This turns green by itself as soon as somebody is in."}
        </p>
      )}
      {machine === undefined ? null : (
        <div>
          <ButtonLink to="/terminal/$machine" params={{ machine: machine.name }} weight="primary">
            Open a terminal on {machine.name}
          </ButtonLink>
        </div>
      )}
      <p>
        Or on your own computer, once you have installed <code className="font-mono">qf</code>:
      </p>
      <CopyLine label="Copy: sign in" text={`qf login --management-url ${serverOrigin()}`} />
      <CopyLine label="Copy: connect" text={`qf ssh USER@${name}`} />
    </div>
  );
}
