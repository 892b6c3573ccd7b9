/**
 * Access requests: first those that wait for the user's decision, then the others that they may see.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { reading } from "../../api/queries.ts";
import { DataTable } from "../../components/data-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { REQUEST_COLUMNS } from "./request-columns.tsx";
import type { Request } from "./request-words.ts";

export function RequestsPage() {
  const requests = useQuery(reading("GET /api/access/requests"));
  return (
    <>
      <PageHeader
        title="Requests"
        about="Access that people ask for: an approval at a machine, or a group for a while."
      />
      <Loaded query={requests}>{(list) => <Lists requests={list} />}</Loaded>
    </>
  );
}

function Lists({ requests }: { readonly requests: readonly Request[] }) {
  const mine = requests.filter(({ may_decide }) => may_decide);
  const others = requests.filter(({ may_decide }) => !may_decide);
  if (requests.length === 0) {
    return (
      <Empty title="Nobody asks for anything">
        A request appears here by itself when somebody connects under a rule that wants an approval, or asks
        for a group.
      </Empty>
    );
  }
  return (
    <>
      <section>
        <h2 className="mb-2 font-semibold text-base">Waiting for you</h2>
        {mine.length === 0 ? (
          <p className="text-soft">No request waits for your decision.</p>
        ) : (
          <DataTable
            label="Requests that wait for you"
            rows={mine}
            rowId={({ id }) => id}
            columns={REQUEST_COLUMNS}
          />
        )}
      </section>
      {others.length === 0 ? null : (
        <section className="mt-8">
          <h2 className="mb-2 font-semibold text-base">Others</h2>
          <DataTable label="Other requests" rows={others} rowId={({ id }) => id} columns={REQUEST_COLUMNS} />
        </section>
      )}
    </>
  );
}
