/**
 * A terminal on a machine: `/terminal/MACHINE?as=USER`. SSH ends in this page; see `dashboard/terminal/`.
 *
 * @module
 */
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { TextField } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { PageSkeleton } from "../../components/skeleton.tsx";
import { TerminalSession, type TerminalState } from "../../terminal/terminal-session.ts";
import { ApprovalCard } from "./approval-card.tsx";
import { EndedCard } from "./ended-card.tsx";
import { LeaveQuestion } from "./leave-question.tsx";
import { SignInCard } from "./sign-in-card.tsx";
import { UnableCard } from "./unable-card.tsx";
import { Workbench } from "./workbench.tsx";

const route = getRouteApi("/terminal/$machine");

export function TerminalPage() {
  const { machine } = route.useParams();
  const { as } = route.useSearch();
  const navigate = route.useNavigate();
  if (as === undefined || as === "") {
    return <AskUser machine={machine} onUser={(user) => void navigate({ search: { as: user } })} />;
  }
  return <TerminalOf key={`${as}@${machine}`} machine={machine} localUser={as} />;
}

function AskUser({ machine, onUser }: { readonly machine: string; onUser(user: string): void }) {
  const [user, setUser] = useState("");
  return (
    <>
      <PageHeader title={`Terminal on ${machine}`} about="As which local user?" />
      <Card className="max-w-md">
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (user.trim() !== "") onUser(user.trim());
          }}
        >
          <TextField
            label="Local user"
            value={user}
            onValue={setUser}
            autoCapitalize="off"
            spellCheck={false}
          />
          <Button type="submit" weight="primary" disabled={user.trim() === ""}>
            Go on
          </Button>
        </form>
      </Card>
    </>
  );
}

function TerminalOf({ machine, localUser }: { readonly machine: string; readonly localUser: string }) {
  const me = useMe();
  const session = useMemo(
    () => new TerminalSession({ target: machine, localUser }, me.id),
    [machine, localUser, me.id],
  );
  const state = useSyncExternalStore(session.subscribe, session.state);
  useEffect(() => {
    void session.begin();
    return () => session.close();
  }, [session]);
  const title = `${localUser}@${machine}`;
  const [last, setLast] = useState<typeof state | null>(null);
  useEffect(() => {
    if (state.step === "open") setLast(state);
    if (state.step === "sign-in" || state.step === "unable" || state.step === "approval") setLast(null);
  }, [state]);
  const open = state.step === "open" ? state : last?.step === "open" ? last : null;
  if (open !== null) {
    return (
      <>
        <Workbench
          title={title}
          connection={open.connection}
          banners={session.banners}
          ending={state.step === "ended" ? state.ending : null}
          isConnecting={state.step === "connecting" || state.step === "looking"}
          onAgain={(reason) => void session.again(reason)}
        />
        <LeaveQuestion title={title} isOpen={state.step === "open"} />
      </>
    );
  }
  return (
    <>
      <PageHeader title={title} about="A terminal in this page. SSH ends here, not at the server." />
      <Step state={state} session={session} title={title} machine={machine} />
    </>
  );
}

interface StepProps {
  readonly state: TerminalState;
  readonly session: TerminalSession;
  readonly title: string;
  readonly machine: string;
}

/** The current step, until a shell is open. */
function Step({ state, session, title, machine }: StepProps) {
  switch (state.step) {
    case "looking":
      return <PageSkeleton />;
    case "unable":
      return <UnableCard command={`qf ssh ${title}`} />;
    case "sign-in":
      return (
        <SignInCard
          pending={state.pending}
          problem={state.problem}
          onCode={(code) => session.giveCode(code)}
        />
      );
    case "connecting":
      return (
        <p role="status" className="text-soft">
          Connecting to {machine}…
        </p>
      );
    case "approval":
      return (
        <ApprovalCard
          title={title}
          request={state.request}
          problem={state.problem}
          onAsk={(reason) => session.ask(reason)}
          onCancel={() => void session.cancelApproval()}
        />
      );
    case "ended":
      return <EndedCard ending={state.ending} onAgain={(reason) => void session.again(reason)} />;
    case "open":
      return null;
  }
}
