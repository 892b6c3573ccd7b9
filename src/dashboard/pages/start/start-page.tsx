/**
 * The first steps, from a new account to the first login. One is shown at a time, and each can be skipped and
 * found again.
 *
 * @module
 */
import { getRouteApi } from "@tanstack/react-router";
import { ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type StepId, stepAfter } from "../../terms/start-step.ts";
import { LoginStep } from "./login-step.tsx";
import { MachineStep } from "./machine-step.tsx";
import { NameStep } from "./name-step.tsx";
import { PeopleStep } from "./people-step.tsx";
import { PolicyStep } from "./policy-step.tsx";
import { SignInStep } from "./sign-in-step.tsx";
import { StepList } from "./step-list.tsx";
import { stepToShow } from "./steps.ts";
import { type Steps, useSteps } from "./use-steps.tsx";

const route = getRouteApi("/start");

export function StartPage() {
  const steps = useSteps();
  return (
    <>
      <PageHeader title="First steps" about="A few minutes, in whatever order you like." />
      <Loaded query={steps}>{(known) => <Started known={known} />}</Loaded>
    </>
  );
}

function Started({ known }: { readonly known: Steps }) {
  const { step } = route.useSearch();
  const current = stepToShow(known.steps, step);
  const shown = known.steps.find(({ id }) => id === current);
  const next = stepAfter(current);
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[18rem_minmax(0,42rem)]">
      <nav aria-label="Steps">
        <Card>
          <StepList steps={known.steps} current={current} />
        </Card>
      </nav>
      <Card title={shown?.title ?? ""}>
        <Shown key={current} id={current} known={known} />
        <div className="mt-6 flex flex-wrap justify-end gap-2 border-line border-t pt-4">
          {next === null ? (
            <ButtonLink to="/overview" weight={shown?.isDone === true ? "primary" : "secondary"}>
              To the overview
            </ButtonLink>
          ) : (
            <ButtonLink
              to="/start"
              search={{ step: next }}
              weight={shown?.isDone === true ? "primary" : "secondary"}
            >
              {shown?.isDone === true ? "Next" : "Skip for now"}
            </ButtonLink>
          )}
        </div>
      </Card>
    </div>
  );
}

function Shown({ id, known }: { readonly id: StepId; readonly known: Steps }) {
  switch (id) {
    case "name":
      return <NameStep account={known.account} />;
    case "sign-in":
      return <SignInStep account={known.account} />;
    case "machine":
      return <MachineStep />;
    case "people":
      return <PeopleStep account={known.account} />;
    case "policy":
      return <PolicyStep />;
    default:
      return <LoginStep isDone={known.steps.some((step) => step.id === "login" && step.isDone)} />;
  }
}
