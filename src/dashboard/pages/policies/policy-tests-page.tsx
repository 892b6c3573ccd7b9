/**
 * Policy tests: what must stay allowed or denied, and whether it is so now. They run at every save.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { type Answer, type ApiError, callApi } from "../../api/client.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, ButtonLink, IconButton } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { AddTest } from "./add-test.tsx";
import { type AskedChange, PolicyChange } from "./policy-change.tsx";
import type { File, FileTest } from "./policy-draft.ts";
import { PolicySource, useCanChange } from "./policy-source.tsx";
import { usePolicyFile } from "./use-difference.tsx";

type Outcome = Answer<"POST /api/policy/test">["results"][number];

export function PolicyTestsPage() {
  const file = usePolicyFile();
  const [isAdding, setIsAdding] = useState(false);
  const [change, setChange] = useState<AskedChange | null>(null);
  const canEdit = useCanChange() && file.data !== undefined;
  const write = (tests: readonly FileTest[], asked: Omit<AskedChange, "file">): void => {
    if (file.data !== undefined) setChange({ ...asked, file: { ...file.data.file, tests: [...tests] } });
  };
  const add = canEdit ? (
    <Button weight="primary" onClick={() => setIsAdding(true)}>
      Add a test
    </Button>
  ) : null;
  return (
    <>
      <PageHeader
        title="Policy tests"
        about="What must stay allowed, and what denied. They run at every save, in any client."
        actions={
          <>
            <ButtonLink to="/policies">All policies</ButtonLink>
            {add}
          </>
        }
      />
      <PolicySource />
      <Loaded query={file}>
        {(answer) => (
          <Results
            file={answer.file}
            add={add}
            onRemove={
              canEdit
                ? (number) =>
                    write(
                      (answer.file.tests ?? []).filter((_, i) => i !== number - 1),
                      { title: "Remove this test?", verb: "Remove", done: "The test was removed." },
                    )
                : null
            }
          />
        )}
      </Loaded>
      <AddTest
        open={isAdding}
        onOpenChange={setIsAdding}
        onTest={(test) =>
          write([...(file.data?.file.tests ?? []), test], {
            title: "Add this test?",
            verb: "Add",
            done: "The test was added.",
          })
        }
      />
      <PolicyChange change={change} onClose={() => setChange(null)} />
    </>
  );
}

interface ResultsProps {
  readonly file: File;
  readonly add: React.ReactNode;
  readonly onRemove: ((number: number) => void) | null;
}

function Results({ file, add, onRemove }: ResultsProps) {
  const report = useQuery<Answer<"POST /api/policy/test">, ApiError>({
    queryKey: ["policy", "POST /api/policy/test", JSON.stringify(file)],
    queryFn: ({ signal }) => callApi("POST /api/policy/test", { body: { file }, signal }),
  });
  if (!file.tests?.length) {
    return (
      <Empty title="No test yet" action={add}>
        Such as: Ada may be deploy on web1, and nobody may be root there. A save that breaks one is refused.
      </Empty>
    );
  }
  return (
    <Loaded query={report}>
      {(answer) => (
        <>
          <p role="status" className="mb-3">
            {answer.failed === 0 ? (
              <Badge tone="good">all {answer.passed} pass</Badge>
            ) : (
              <Badge tone="bad">
                {answer.failed} of {answer.results.length} fail
              </Badge>
            )}
          </p>
          <DataTable
            label="Policy tests"
            rows={answer.results}
            rowId={({ number }) => String(number)}
            columns={onRemove === null ? COLUMNS : [...COLUMNS, removal(onRemove)]}
          />
        </>
      )}
    </Loaded>
  );
}

const code = (text: string) => <code className="font-mono text-xs">{text}</code>;

const COLUMNS: readonly Column<Outcome>[] = [
  {
    id: "state",
    header: "State",
    sortBy: ({ passed }) => Number(passed),
    cell: ({ passed }) => (passed ? <Badge tone="good">passes</Badge> : <Badge tone="bad">fails</Badge>),
  },
  {
    id: "user",
    header: "Person",
    sortBy: ({ test }) => test.user,
    cell: ({ test }) => <bdi>{test.user}</bdi>,
  },
  {
    id: "machine",
    header: "Machine",
    sortBy: ({ test }) => test.machine,
    cell: ({ test }) => <bdi>{test.machine}</bdi>,
  },
  { id: "as", header: "Local user", cell: ({ test }) => code(test.local_user) },
  { id: "action", header: "For", from: "lg", cell: ({ test }) => actionText(test.action) },
  {
    id: "expect",
    header: "Expected",
    cell: ({ test }) => (test.expect === "allow" ? "allowed" : "denied"),
  },
  {
    id: "said",
    header: "It is",
    from: "md",
    cell: ({ outcome, sentence, passed }) =>
      passed ? "so" : (sentence ?? (outcome === null ? "about something that is gone" : `${outcome}ed`)),
  },
];

function removal(onRemove: (number: number) => void): Column<Outcome> {
  return {
    id: "actions",
    header: "Actions",
    isActions: true,
    cell: ({ number }) => (
      <IconButton label={`Remove test ${number}`} onClick={() => onRemove(number)}>
        <Trash2 size={16} aria-hidden="true" />
      </IconButton>
    ),
  };
}

function actionText(action: FileTest["action"]): string {
  if (action === undefined) return "logging in";
  return typeof action === "string" ? action : Object.entries(action).flat().join(" ");
}
