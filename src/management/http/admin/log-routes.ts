/**
 * /api/events/audit/…: checkpoints and proofs of the account's log, and the parts of a bundle.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { readNote, verifierKey } from "../../../log/checkpoint.ts";
import { AUDIT_PAGE_MAX } from "../../../wire/admin-query.ts";
import {
  BundleLine,
  BundleQuery,
  ConsistencyAnswer,
  ConsistencyQuery,
  EntriesQuery,
  InclusionAnswer,
  InclusionQuery,
  LogCheckpoint,
  LostTail,
} from "../../../wire/log-api.ts";
import { BundleHeader } from "../../../wire/log-entry.ts";
import { bundleHeader, bundleLines } from "../../log/bundle.ts";
import { lostTails, type LostTail as StoredLostTail } from "../../log/lost-tail.ts";
import { consistencyProof, encoded, inclusionProof } from "../../log/proofs.ts";
import { type Route, route } from "./route.ts";

export const logRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/events/audit/checkpoint",
    summary: "The signed checkpoint of the log, over every event that is stored",
    access: "read",
    answer: { one: LogCheckpoint },
    handle: async ({ ctx, accountId }) => {
      const { note, size, madeAtMs } = await ctx.logs.checkpoint(accountId);
      const read = readNote(note);
      const keys = await ctx.logs.keys(accountId);
      return {
        note,
        origin: read?.origin ?? "",
        size,
        root: encoded(read?.root ?? new Uint8Array()),
        made_at: new Date(madeAtMs).toISOString(),
        keys: keys.map(verifierKey),
      };
    },
  }),
  route({
    method: "get",
    path: "/api/events/audit/lost",
    summary: "Entries that machines have seen, and that a restored backup does not have; newest first",
    access: "read",
    answer: { listOf: LostTail },
    handle: async ({ accountId, read }) => {
      const tails = await read((tx) => lostTails(tx, accountId));
      return { items: tails.map(asLostTail), total: tails.length, next: null };
    },
  }),
  route({
    method: "post",
    path: "/api/events/audit/lost/acknowledge",
    summary: "Acknowledges what the log has lost",
    access: "owner",
    answer: { listOf: LostTail },
    also: [409],
    handle: (call) =>
      call.change({}, async (tx) => {
        const waiting = (await lostTails(tx, call.accountId)).filter(
          ({ acknowledged }) => acknowledged === null,
        );
        if (waiting.length === 0)
          throw new QfError("ERR_CONFLICT", "the audit log has lost nothing that waits");
        const meta = { to: String(Math.max(...waiting.map(({ to }) => to))) };
        tx.record({ activity: "log.lost.acknowledge", targetId: call.accountId, meta });
        const acknowledged = { atMs: tx.clock.nowMs(), by: call.user.email || call.user.name, seq: 0 };
        const items = waiting.map((tail) => asLostTail({ ...tail, acknowledged }));
        return { items, total: items.length, next: null };
      }),
  }),
  route({
    method: "get",
    path: "/api/events/audit/proof/inclusion",
    summary: "Proof that an event is in the log (RFC 9162)",
    access: "read",
    query: InclusionQuery,
    answer: { one: InclusionAnswer },
    handle: async ({ ctx, accountId, query, read }) => {
      await ctx.logs.begin(accountId);
      const size = query.size ?? (await ctx.logs.checkpoint(accountId)).size;
      const seq = query.seq ?? size;
      return { seq, size, ...(await read((tx) => inclusionProof(tx, accountId, { seq, size }))) };
    },
  }),
  route({
    method: "get",
    path: "/api/events/audit/proof/consistency",
    summary: "Proof that a smaller log is the beginning of a larger one (RFC 9162)",
    access: "read",
    query: ConsistencyQuery,
    answer: { one: ConsistencyAnswer },
    handle: async ({ ctx, accountId, query, read }) => {
      await ctx.logs.begin(accountId);
      const to = query.to ?? (await ctx.logs.checkpoint(accountId)).size;
      const from = query.from ?? 0;
      return { from, to, proof: await read((tx) => consistencyProof(tx, accountId, { from, to })) };
    },
  }),
  route({
    method: "get",
    path: "/api/events/audit/bundle",
    summary: "The first line of a bundle that verifies by itself; its entries are read page by page",
    access: "read",
    query: BundleQuery,
    answer: { one: BundleHeader },
    handle: ({ ctx, accountId, query }) => bundleHeader(ctx, accountId, query),
  }),
  route({
    method: "get",
    path: "/api/events/audit/entries",
    summary: "Entries of the log as they are hashed, oldest first",
    access: "read",
    query: EntriesQuery,
    answer: { listOf: BundleLine },
    handle: async ({ ctx, accountId, query, read }) => {
      await ctx.logs.begin(accountId);
      const { after_seq = 0, limit = AUDIT_PAGE_MAX } = query;
      const { lines, size } = await read((tx) => bundleLines(tx, accountId, { after: after_seq, limit }));
      const last = lines.at(-1)?.seq ?? size;
      const next = last < size ? { after_seq: String(last), limit: String(limit) } : null;
      return { items: lines, total: size, next };
    },
  }),
];

function asLostTail({ from, to, seq, atMs, acknowledged }: StoredLostTail): LostTail {
  return {
    from,
    to,
    seq,
    found_at: new Date(atMs).toISOString(),
    acknowledged_at: acknowledged === null ? null : new Date(acknowledged.atMs).toISOString(),
    acknowledged_by: acknowledged?.by ?? null,
  };
}
