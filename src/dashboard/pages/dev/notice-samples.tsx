/**
 * Sample messages: states, notes, failures, empty lists, and loading placeholders.
 *
 * @module
 */
import { ApiError } from "../../api/client.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { BadgeList } from "../../components/badge-list.tsx";
import { Button } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { Gone } from "../../components/detail.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty, FailureNotice, Note } from "../../components/notice.tsx";
import { Section } from "../../components/section.tsx";
import { ListSkeleton } from "../../components/skeleton.tsx";
import { Time } from "../../components/time.tsx";
import { WhatChanges } from "../../components/what-changes.tsx";
import { SourceBanner } from "../policies/policy-source.tsx";

const TONES: readonly Tone[] = ["plain", "good", "warn", "bad", "accent"];
const WAITING = { data: undefined, error: null, refetch: async () => {} };
const FAILED = new ApiError("It failed.", {
  ...{ status: 500, code: "ERR_INTERNAL", hint: "Try again later.", requestId: "0123456789" },
});
const MOMENT = "2026-11-30T08:00:00.000Z";

const SOURCE = { name: "https://git.example.com/ops/policies", differs_since: null };

export function NoticeSamples() {
  return (
    <>
      <div className="flex flex-wrap gap-2">
        {TONES.map((tone) => (
          <Badge key={tone} tone={tone} dot={tone !== "plain"}>
            {tone}
          </Badge>
        ))}
        <BadgeList names={["Servers", "Databases", "Web", "Frankfurt", "All"]} />
      </div>
      <Note>A word beside what one is doing.</Note>
      <Note tone="warn">A word of warning.</Note>
      <FailureNotice error={FAILED} retry={() => {}} />
      <FailureNotice error={null} />
      <WhatChanges lines={["ada comes in", "grace goes out"]} />
      <SourceBanner source={SOURCE} reason={null} onReason={() => {}} />
      <SourceBanner
        source={{ name: "the repository policies", differs_since: MOMENT }}
        reason="INC-42"
        onReason={() => {}}
      />
      <Empty title="Nothing yet" action={<Button weight="primary">Make one</Button>}>
        What there would be, and why one wants it.
      </Empty>
      <Gone what="machine" back={{ to: "/machines", label: "All machines" }}>
        It was removed.
      </Gone>
      <Card title="A card" actions={<Button size="small">Change</Button>}>
        <Facts
          facts={[
            ["Name", "web1"],
            ["Seen", <Time key="seen" iso={MOMENT} />],
            ["Added", <Time key="added" iso={MOMENT} exact />],
            ["Used", <Time key="used" iso="0001-01-01T00:00:00Z" />],
          ]}
        />
      </Card>
      <Section title="A part of a page" actions={<Button size="small">Change</Button>}>
        <p className="text-soft">What is in it.</p>
      </Section>
      <ListSkeleton rows={2} />
      <Loaded query={WAITING} rows={1}>
        {() => null}
      </Loaded>
    </>
  );
}
