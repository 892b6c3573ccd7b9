/**
 * Shared types of the difference computation.
 *
 * @module
 */
import type { MapRule, MapSettings, MapUser } from "../../wire/network-map.ts";
import type { AccountPeer } from "../maps/compile.ts";
import type { MachineClasses } from "./machine-classes.ts";
import type { NumberedRules } from "./numbered-rules.ts";

/** Everything that is compared, and the rules before and after. */
export interface DifferenceInput {
  readonly users: readonly MapUser[];
  /** All peers: devices of the users, machines, and those that rules name. */
  readonly peers: readonly AccountPeer[];
  /** The machines to compare. Absent: every machine of `peers`. */
  readonly machines?: readonly AccountPeer[];
  /** The peers with what their groups require after the change. Absent: what they require before it. */
  readonly peersAfter?: readonly AccountPeer[];
  readonly settings: MapSettings;
  readonly before: readonly MapRule[];
  readonly after: readonly MapRule[];
  readonly nowSeconds: number;
}

/** What changes for one local user. `*` stands for every local user without a change of its own. */
export interface LocalUserChange {
  readonly localUser: string;
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** The same changes for each of these people on each of these machines. */
export interface DifferenceBlock {
  readonly users: readonly string[];
  readonly machines: readonly string[];
  readonly changes: readonly LocalUserChange[];
}

/** Context shared by all questions of a comparison. */
export interface ChangeContext {
  readonly settings: MapSettings;
  readonly nowSeconds: number;
  readonly rules: NumberedRules;
  readonly machines: MachineClasses;
}
