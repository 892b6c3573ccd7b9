/**
 * The menu: pages grouped by purpose, and who sees them. The API checks what a user may do there.
 *
 * @module
 */
import {
  Activity,
  Cable,
  CircleArrowUp,
  FileKey,
  Gauge,
  Grid3x3,
  Inbox,
  KeyRound,
  Laptop,
  MonitorCheck,
  ScrollText,
  Server,
  Settings,
  ShieldCheck,
  Users,
  UsersRound,
} from "lucide-react";
import { type Me, seesAccount } from "./me.ts";

export interface NavigationItem {
  readonly to: string;
  readonly label: string;
  readonly icon: typeof Server;
}

export interface NavigationPart {
  readonly label: string;
  readonly items: readonly NavigationItem[];
}

const MINE: NavigationPart = {
  label: "Mine",
  items: [
    { to: "/", label: "My access", icon: Cable },
    { to: "/requests", label: "Requests", icon: Inbox },
  ],
};

const ACCOUNT: readonly NavigationPart[] = [
  {
    label: "Network",
    items: [
      { to: "/overview", label: "Overview", icon: Gauge },
      { to: "/machines", label: "Machines", icon: Server },
      { to: "/devices", label: "Devices", icon: Laptop },
      { to: "/setup-keys", label: "Setup keys", icon: KeyRound },
      { to: "/rollouts", label: "Rollouts", icon: CircleArrowUp },
    ],
  },
  {
    label: "Who may what",
    items: [
      { to: "/people", label: "People", icon: Users },
      { to: "/groups", label: "Groups", icon: UsersRound },
      { to: "/policies", label: "Policies", icon: ShieldCheck },
      { to: "/posture-checks", label: "Posture checks", icon: MonitorCheck },
      { to: "/access", label: "Access", icon: Grid3x3 },
    ],
  },
  {
    label: "What happens",
    items: [
      { to: "/sessions", label: "Sessions", icon: Activity },
      { to: "/audit", label: "Audit", icon: ScrollText },
    ],
  },
  { label: "Server", items: [{ to: "/settings", label: "Settings", icon: Settings }] },
];

export const ACCOUNT_ITEM: NavigationItem = { to: "/account", label: "My account", icon: FileKey };

/** The part of the menu that `me` sees, limited to existing pages. */
export function navigationFor(me: Me, existing: ReadonlySet<string>): readonly NavigationPart[] {
  const parts = seesAccount(me) ? [MINE, ...ACCOUNT] : [MINE];
  return parts
    .map((part) => ({ ...part, items: part.items.filter(({ to }) => existing.has(to)) }))
    .filter(({ items }) => items.length > 0);
}
