/**
 * Routes of the dashboard. A page's code is loaded when the page is opened.
 *
 * @module
 */
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { COMPONENTS_PATH } from "../../wire/dashboard-section.ts";
import type { RouteName } from "../api/client.ts";
import { ButtonLink } from "../components/button.tsx";
import { Empty, FailureNotice } from "../components/notice.tsx";
import { PageSkeleton } from "../components/skeleton.tsx";
import { auditTermsOf } from "../pages/audit/audit-terms.ts";
import { accessQuestionOf } from "../terms/access-question.ts";
import { listTermsOf } from "../terms/list-terms.ts";
import { machineTermsOf } from "../terms/machine-terms.ts";
import { newPolicyTermsOf } from "../terms/new-policy-terms.ts";
import { personTermsOf } from "../terms/person-terms.ts";
import { recordingTermsOf } from "../terms/recording-terms.ts";
import { requestTermsOf } from "../terms/request-terms.ts";
import { sessionTermsOf } from "../terms/session-terms.ts";
import { stepOf } from "../terms/start-step.ts";
import { readAhead } from "./query-client.ts";
import { Shell } from "./shell.tsx";

/** Reads the page's lists when it is entered, beside its code. */
const reads =
  (...lists: readonly RouteName[]) =>
  ({ cause }: { readonly cause: "preload" | "enter" | "stay" }): void => {
    if (cause === "enter") readAhead(...lists);
  };

const root = createRootRouteWithContext()({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: ({ error, reset }) => <FailureNotice error={error} retry={reset} />,
});

const routes = [
  createRoute({
    getParentRoute: () => root,
    path: "/",
    loader: reads("GET /api/my/access"),
    component: lazyRouteComponent(() => import("../pages/my-access/my-access-page.tsx"), "MyAccessPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/overview",
    loader: reads("GET /api/peers", "GET /api/users", "GET /api/setup-keys"),
    component: lazyRouteComponent(() => import("../pages/overview/overview-page.tsx"), "OverviewPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/start",
    validateSearch: stepOf,
    component: lazyRouteComponent(() => import("../pages/start/start-page.tsx"), "StartPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/machines",
    loader: reads("GET /api/peers"),
    validateSearch: machineTermsOf,
    component: lazyRouteComponent(() => import("../pages/machines/machines-page.tsx"), "MachinesPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/machines/add",
    component: lazyRouteComponent(() => import("../pages/machines/add-machine-page.tsx"), "AddMachinePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/devices",
    loader: reads("GET /api/peers", "GET /api/users"),
    validateSearch: listTermsOf,
    component: lazyRouteComponent(() => import("../pages/devices/devices-page.tsx"), "DevicesPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/devices/$deviceId",
    component: lazyRouteComponent(() => import("../pages/devices/device-page.tsx"), "DevicePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/people",
    loader: reads("GET /api/users", "GET /api/groups"),
    validateSearch: listTermsOf,
    component: lazyRouteComponent(() => import("../pages/people/people-page.tsx"), "PeoplePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/people/$userId",
    validateSearch: personTermsOf,
    component: lazyRouteComponent(() => import("../pages/people/person-page.tsx"), "PersonPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/groups",
    loader: reads("GET /api/groups", "GET /api/users"),
    validateSearch: listTermsOf,
    component: lazyRouteComponent(() => import("../pages/groups/groups-page.tsx"), "GroupsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/groups/$groupId",
    component: lazyRouteComponent(() => import("../pages/groups/group-page.tsx"), "GroupPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/posture-checks",
    validateSearch: listTermsOf,
    component: lazyRouteComponent(
      () => import("../pages/posture-checks/posture-checks-page.tsx"),
      "PostureChecksPage",
    ),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/setup-keys",
    loader: reads("GET /api/setup-keys"),
    validateSearch: listTermsOf,
    component: lazyRouteComponent(() => import("../pages/setup-keys/setup-keys-page.tsx"), "SetupKeysPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/rollouts",
    component: lazyRouteComponent(() => import("../pages/rollouts/rollouts-page.tsx"), "RolloutsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/rollouts/$rolloutId",
    component: lazyRouteComponent(() => import("../pages/rollouts/rollout-page.tsx"), "RolloutPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/policies",
    validateSearch: listTermsOf,
    loader: reads("GET /api/policies", "GET /api/groups"),
    component: lazyRouteComponent(() => import("../pages/policies/policies-page.tsx"), "PoliciesPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/policies/file",
    component: lazyRouteComponent(() => import("../pages/policies/policy-file-page.tsx"), "PolicyFilePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/policies/tests",
    component: lazyRouteComponent(() => import("../pages/policies/policy-tests-page.tsx"), "PolicyTestsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/policies/history",
    component: lazyRouteComponent(
      () => import("../pages/policies/policy-history-page.tsx"),
      "PolicyHistoryPage",
    ),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/policies/new",
    validateSearch: newPolicyTermsOf,
    component: lazyRouteComponent(() => import("../pages/policies/policy-editor-page.tsx"), "NewPolicyPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/policies/$policyId",
    component: lazyRouteComponent(() => import("../pages/policies/policy-editor-page.tsx"), "PolicyPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/access",
    validateSearch: accessQuestionOf,
    component: lazyRouteComponent(() => import("../pages/access/access-page.tsx"), "AccessPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/sessions",
    validateSearch: sessionTermsOf,
    component: lazyRouteComponent(() => import("../pages/sessions/sessions-page.tsx"), "SessionsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/sessions/$sessionId",
    component: lazyRouteComponent(() => import("../pages/sessions/session-page.tsx"), "SessionPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/sessions/$sessionId/recordings/$recordingId",
    validateSearch: recordingTermsOf,
    component: lazyRouteComponent(() => import("../pages/sessions/recording-page.tsx"), "RecordingPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/requests",
    component: lazyRouteComponent(() => import("../pages/requests/requests-page.tsx"), "RequestsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/requests/$requestId",
    validateSearch: requestTermsOf,
    component: lazyRouteComponent(() => import("../pages/requests/request-page.tsx"), "RequestPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/audit",
    validateSearch: auditTermsOf,
    component: lazyRouteComponent(() => import("../pages/audit/audit-page.tsx"), "AuditPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/machines/$machineId",
    component: lazyRouteComponent(() => import("../pages/machines/machine-page.tsx"), "MachinePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/terminal/$machine",
    validateSearch: ({ as }: Record<string, unknown>): { as?: string } =>
      typeof as === "string" && as !== "" ? { as } : {},
    component: lazyRouteComponent(() => import("../pages/terminal/terminal-page.tsx"), "TerminalPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/settings",
    component: lazyRouteComponent(() => import("../pages/settings/settings-page.tsx"), "FirstSettingsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/settings/$topic",
    component: lazyRouteComponent(() => import("../pages/settings/settings-page.tsx"), "SettingsPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/account",
    validateSearch: listTermsOf,
    component: lazyRouteComponent(() => import("../pages/account/account-page.tsx"), "AccountPage"),
  }),
] as const;

/** Replaced by `packaging/dashboard.ts`, so that development pages are in no other build. */
declare const QF_DEVELOPMENT_PAGES: boolean;
const developmentRoutes = QF_DEVELOPMENT_PAGES
  ? [
      createRoute({
        getParentRoute: () => root,
        path: COMPONENTS_PATH,
        component: lazyRouteComponent(() => import("../pages/dev/components-page.tsx"), "ComponentsPage"),
      }),
    ]
  : [];

/** The dashboard's router. */
export const router = createRouter({
  routeTree: root.addChildren([...routes, ...(developmentRoutes as never[])]),
  defaultPendingComponent: PageSkeleton,
  defaultPreload: "intent",
  scrollToTopSelectors: ["[data-scroller]"],
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function NotFound() {
  return (
    <Empty title="There is no such page" action={<ButtonLink to="/">My access</ButtonLink>}>
      Check the link, or press Control K and type what you look for.
    </Empty>
  );
}
