/**
 * The settings, with one URL per topic.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { SETTINGS_TOPICS, type SettingsTopic, settingsTopicOf } from "../../terms/settings-topic.ts";
import { NotificationsCard } from "./notifications-card.tsx";
import { FIELDS, TOPIC_TITLES } from "./setting-fields.ts";
import { SettingsForm } from "./settings-form.tsx";
import { StreamsCard } from "./streams-card.tsx";

const route = getRouteApi("/settings/$topic");

export function FirstSettingsPage() {
  return <Settings topic="organisation" />;
}

export function SettingsPage() {
  const { topic } = route.useParams();
  return <Settings topic={settingsTopicOf(topic)} />;
}

function Settings({ topic }: { readonly topic: SettingsTopic }) {
  return (
    <>
      <PageHeader title="Settings" />
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[13rem_minmax(0,46rem)]">
        <nav aria-label="Topics">
          <ul className="flex gap-0.5 max-lg:flex-wrap lg:flex-col">
            {SETTINGS_TOPICS.map((one) => (
              <li key={one} className="shrink-0">
                <Link
                  to="/settings/$topic"
                  params={{ topic: one }}
                  className="flex min-h-9 items-center rounded-md px-3 no-underline hover:bg-sunken aria-[current]:bg-accent-ground aria-[current]:font-medium aria-[current]:text-accent pointer-coarse:min-h-11"
                  {...(one === topic ? { "aria-current": "page" as const } : {})}
                >
                  {TOPIC_TITLES[one]}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <Topic key={topic} topic={topic} />
      </div>
    </>
  );
}

function Topic({ topic }: { readonly topic: SettingsTopic }) {
  const me = useMe();
  const accounts = useQuery(reading("GET /api/accounts"));
  const canSave = may(me, "settings", "update");
  if (topic === "streams") return <StreamsCard canSave={canSave} />;
  if (topic === "notifications") return <NotificationsCard canSave={canSave} />;
  return (
    <Loaded query={accounts}>
      {([account]) =>
        account === undefined ? null : (
          <Card title={TOPIC_TITLES[topic]}>
            {topic === "sign-in" ? (
              <Provider isEmbedded={account.settings.embedded_idp_enabled === true} />
            ) : null}
            <SettingsForm account={account} fields={FIELDS[topic] ?? []} canSave={canSave} />
            {topic === "organisation" ? (
              <p className="mt-6 border-line border-t pt-4">
                <ButtonLink to="/start" size="small">
                  First steps
                </ButtonLink>
              </p>
            ) : null}
          </Card>
        )
      }
    </Loaded>
  );
}

function Provider({ isEmbedded }: { readonly isEmbedded: boolean }) {
  return (
    <p className="mb-5 text-soft">
      {isEmbedded
        ? "People sign in with an e-mail address and a password that this server keeps. Another provider is connected when the server is started."
        : "People sign in at your own identity provider, which the server was started with."}
    </p>
  );
}
