/**
 * Posture checks in plain English, and as form drafts.
 *
 * @module
 */
import type { Answer, Body } from "../../api/client.ts";
import type { CsvColumn } from "../../components/csv.ts";

export type PostureCheck = Answer<"GET /api/posture-checks">[number];
export type PostureWrite = Body<"POST /api/posture-checks">;
type Checks = PostureCheck["checks"];

/** Operating systems whose version a check can require, in form order. */
export const SYSTEMS = [
  { name: "linux", label: "Linux", field: "min_kernel_version", hint: "Of the kernel, such as 6.1." },
  { name: "darwin", label: "macOS", field: "min_version", hint: "Such as 14.5." },
  {
    name: "windows",
    label: "Windows",
    field: "min_kernel_version",
    hint: "Of the kernel, such as 10.0.22631.",
  },
] as const;
type SystemName = (typeof SYSTEMS)[number]["name"];

export interface PostureDraft {
  readonly name: string;
  readonly description: string;
  /** Lowest version of qf. Empty if not required. */
  readonly qf: string;
  readonly asksSystem: boolean;
  /** Lowest version per system. If `asksSystem` is set, devices with an empty one do not pass. */
  readonly systems: Readonly<Record<SystemName, string>>;
  readonly ranges: readonly string[];
  readonly action: "allow" | "deny";
}

export function draftOf(check: PostureCheck | null): PostureDraft {
  const { nb_version_check, os_version_check, peer_network_range_check } = check?.checks ?? {};
  return {
    name: check?.name ?? "",
    description: check?.description ?? "",
    qf: nb_version_check?.min_version ?? "",
    asksSystem: os_version_check !== undefined,
    systems: {
      linux: os_version_check?.linux?.min_kernel_version ?? "",
      darwin: os_version_check?.darwin?.min_version ?? "",
      windows: os_version_check?.windows?.min_kernel_version ?? "",
    },
    ranges: peer_network_range_check?.ranges ?? [],
    action: peer_network_range_check?.action ?? "allow",
  };
}

/** The checks of a draft. Systems in `before` that the form does not show are kept. */
export function checksOf(draft: PostureDraft, before: PostureCheck | null): Checks {
  const { android, ios } = before?.checks.os_version_check ?? {};
  const versions = Object.fromEntries(
    SYSTEMS.flatMap(({ name, field }) => {
      const version = draft.systems[name].trim();
      return version === "" ? [] : [[name, { [field]: version }] as const];
    }),
  );
  const hidden = { ...(android === undefined ? {} : { android }), ...(ios === undefined ? {} : { ios }) };
  const qf = draft.qf.trim();
  return {
    ...(qf === "" ? {} : { nb_version_check: { min_version: qf } }),
    ...(draft.asksSystem ? { os_version_check: { ...hidden, ...versions } } : {}),
    ...(draft.ranges.length === 0
      ? {}
      : { peer_network_range_check: { ranges: [...draft.ranges], action: draft.action } }),
  };
}

/** The request body. */
export function writeOf(draft: PostureDraft, before: PostureCheck | null): PostureWrite {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    checks: checksOf(draft, before),
  };
}

/** Whether the draft requires anything of a device. */
export function asksAnything({ qf, asksSystem, systems, ranges }: PostureDraft): boolean {
  return (
    qf.trim() !== "" ||
    ranges.length > 0 ||
    (asksSystem && Object.values(systems).some((one) => one.trim() !== ""))
  );
}

/** Such as `A device runs qf 1.2 or later, and has Linux 6.1 or later, and …`. */
export function postureSentence({
  nb_version_check,
  os_version_check,
  peer_network_range_check,
}: Checks): string {
  const systems = SYSTEMS.flatMap(({ name, label }) => {
    const check = os_version_check?.[name];
    if (check === undefined) return [];
    const version = "min_version" in check ? check.min_version : check.min_kernel_version;
    return [`${label} ${version} or later`];
  });
  const { ranges, action } = peer_network_range_check ?? {};
  const clauses = [
    ...(nb_version_check === undefined ? [] : [`runs qf ${nb_version_check.min_version} or later`]),
    ...(systems.length === 0 ? [] : [`has ${systems.join(", or ")}`]),
    ...(ranges === undefined
      ? []
      : [`connects from ${action === "deny" ? "outside " : ""}${ranges.join(" or ")}`]),
  ];
  return clauses.length === 0 ? "Asks a device for nothing." : `A device ${clauses.join(", and ")}.`;
}

/** Columns of the CSV export. */
export const POSTURE_CSV: readonly CsvColumn<PostureCheck>[] = [
  ["id", ({ id }) => id],
  ["name", ({ name }) => name],
  ["description", ({ description }) => description],
  ["asks", ({ checks }) => postureSentence(checks)],
];
