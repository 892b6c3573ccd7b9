/**
 * The sign-in before a terminal: in a separate window at the provider, then with a code if the account
 * requires one. Nothing happens until the user acts.
 *
 * @module
 */
import { ExternalLink } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { TextField } from "../../components/field.tsx";
import type { PendingLogin } from "../../terminal/terminal-login.ts";

interface SignInCardProps {
  readonly pending: PendingLogin;
  readonly problem: string | null;
  onCode(code: string): Promise<void>;
}

export function SignInCard({ pending, problem, onCode }: SignInCardProps) {
  const { hosted, fingerprint } = pending;
  return (
    <Card title="Sign in to open it" className="max-w-xl">
      <ol className="flex list-decimal flex-col gap-5 pl-5">
        <li>
          <p>
            Sign in once more, in a window of its own. It shows this key, made for this tab alone:{" "}
            <code className="rounded-sm bg-sunken px-1.5 py-0.5 font-mono">{fingerprint}</code>
          </p>
          <a
            href={hosted.url}
            target="_blank"
            rel="noopener noreferrer"
            className="mt-3 inline-flex min-h-9 items-center justify-center gap-2 rounded-md border border-accent bg-accent px-3.5 font-semibold text-on-accent text-sm no-underline hover:border-accent-over hover:bg-accent-over pointer-coarse:min-h-11"
          >
            Sign in
            <ExternalLink size={16} aria-hidden="true" />
          </a>
        </li>
        {hosted.confirmation === "code" ? (
          <li>
            <CodeForm problem={problem} onCode={onCode} />
          </li>
        ) : (
          <li>
            <p role="status">This page updates by itself.</p>
          </li>
        )}
      </ol>
    </Card>
  );
}

function CodeForm({ problem, onCode }: Pick<SignInCardProps, "problem" | "onCode">) {
  const [code, setCode] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const give = async (): Promise<void> => {
    setIsBusy(true);
    await onCode(code).finally(() => setIsBusy(false));
  };
  return (
    <form
      className="flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== "") void give();
      }}
    >
      <div className="min-w-48 flex-1">
        <TextField
          label="The code that it shows"
          value={code}
          onValue={setCode}
          problem={problem}
          autoCapitalize="characters"
          spellCheck={false}
          inputMode="text"
          className="font-mono"
        />
      </div>
      <Button type="submit" weight="primary" busy={isBusy} disabled={code.trim() === ""}>
        Connect
      </Button>
    </form>
  );
}
