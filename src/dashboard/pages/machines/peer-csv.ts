/**
 * The CSV columns of machines and devices. Times are in UTC.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import type { CsvColumn } from "../../components/csv.ts";
import { isNever } from "../../components/moments.ts";
import { stateOf } from "../../terms/machine-terms.ts";

type Peer = Answer<"GET /api/peers">[number];

export const PEER_CSV: readonly CsvColumn<Peer>[] = [
  ["id", ({ id }) => id],
  ["name", ({ name }) => name],
  ["host", ({ dns_label }) => dns_label],
  ["address", ({ ip }) => ip],
  ["state", stateOf],
  ["groups", ({ groups }) => groups.map(({ name }) => name).join("; ")],
  ["system", ({ os }) => os],
  ["version", ({ version }) => version],
  ["last_seen", ({ last_seen }) => (isNever(last_seen) ? "" : last_seen)],
  ["created_at", ({ created_at }) => created_at],
];
