/**
 * The first steps on the overview, until they are done or dismissed. Their own page stays.
 *
 * @module
 */
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { useToast } from "../../components/toasts.tsx";
import { StepList } from "./step-list.tsx";
import { useSteps } from "./use-steps.tsx";

export function Checklist() {
  const me = useMe();
  const known = useSteps().data;
  const save = useChange("PUT /api/accounts/:accountId");
  const tell = useToast();
  if (known === undefined || !may(me, "settings", "update")) return null;
  const { account, steps } = known;
  const left = steps.filter(({ isDone }) => !isDone).length;
  if (left === 0 || !account.onboarding.onboarding_flow_pending) return null;
  const put = (isPending: boolean): void => {
    const onboarding = { ...account.onboarding, onboarding_flow_pending: isPending };
    const params = { accountId: account.id };
    save.mutate({ params, body: { settings: account.settings, onboarding } });
  };
  const away = (
    <Button
      size="small"
      weight="quiet"
      onClick={() => {
        put(false);
        tell("The first steps are under Settings.", () => put(true));
      }}
    >
      Put away
    </Button>
  );
  return (
    <Card title={`First steps, ${left} left`} actions={away}>
      <StepList steps={steps} />
    </Card>
  );
}
