/**
 * The frame of every page: the menu, the header with the palette and the user menu, and the main part.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { CircleUserRound, Menu as MenuIcon, Search, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { lazy, Suspense, useEffect, useState } from "react";
import { callApi } from "../api/client.ts";
import { reading } from "../api/queries.ts";
import { chooseTheme, currentTheme, THEMES } from "../browser/theme.ts";
import { Button, IconButton } from "../components/button.tsx";
import { Menu } from "../components/menu.tsx";
import { PageSkeleton } from "../components/skeleton.tsx";
import { useOpener } from "../components/use-opener.tsx";
import { LiveState } from "../live/live-state.tsx";
import { seesAccount, useMe } from "./me.ts";
import { type NavigationPart, navigationFor } from "./navigation.ts";
import { PAGES } from "./pages.ts";

const CommandPalette = lazy(() =>
  import("./command-palette.tsx").then((m) => ({ default: m.CommandPalette })),
);

export function Shell() {
  const me = useMe();
  const parts = navigationFor(me, PAGES);
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  const [isPaletteOpen, setIsPaletteOpen] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useEffect(() => setIsMenuOpen(false), [path]);
  usePaletteKey(() => setIsPaletteOpen((open) => !open));
  return (
    <div className="flex h-full">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        Skip to the page
      </a>
      <aside className="flex w-56 shrink-0 flex-col border-line border-r bg-card max-lg:hidden">
        <Brand />
        <MenuList parts={parts} />
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="h-13 shrink-0 border-line border-b bg-card">
          <div className="mx-auto flex h-full w-full max-w-[100rem] items-center gap-2 px-3 sm:px-6">
            <span className="lg:hidden">
              <IconButton label="Menu" onClick={() => setIsMenuOpen(true)}>
                <MenuIcon size={18} aria-hidden="true" />
              </IconButton>
            </span>
            <Button
              className="max-w-80 flex-1 justify-start font-normal! text-soft max-sm:flex-none"
              onClick={() => setIsPaletteOpen(true)}
            >
              <Search size={16} aria-hidden="true" />
              <span className="flex-1 text-left max-sm:sr-only">Search and go</span>
              <span aria-hidden="true" className="rounded-sm border border-line px-1 text-xs max-sm:hidden">
                Ctrl K
              </span>
            </Button>
            <span className="flex-1" />
            <LiveState />
            <PersonMenu />
          </div>
        </header>
        <main id="main" data-scroller tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto outline-none">
          <div className="mx-auto w-full max-w-[100rem] px-4 py-5 sm:px-6">
            <Suspense fallback={<PageSkeleton />}>
              <Outlet />
            </Suspense>
          </div>
        </main>
      </div>
      <NarrowMenu open={isMenuOpen} onOpenChange={setIsMenuOpen} parts={parts} />
      {isPaletteOpen ? (
        <Suspense fallback={null}>
          <CommandPalette open onOpenChange={setIsPaletteOpen} parts={parts} />
        </Suspense>
      ) : null}
    </div>
  );
}

function usePaletteKey(toggle: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      toggle();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [toggle]);
}

function Brand() {
  return (
    <Link
      to="/"
      className="flex h-13 shrink-0 items-center gap-2.5 px-4 font-semibold text-base no-underline"
    >
      <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="#2f5fe0" />
        <path
          fill="none"
          stroke="#fff"
          strokeWidth="3.5"
          strokeLinecap="round"
          d="M11 6v8m0 5v7M21 6v3m0 5v12M6 11h3m5 0h12M6 21h12m5 0h3"
        />
      </svg>
      <span className="min-w-0">
        QuFabric
        <OrganizationName />
      </span>
    </Link>
  );
}

/** The account's name, if it has one and the user may see it. */
function OrganizationName() {
  const me = useMe();
  const accounts = useQuery({ ...reading("GET /api/accounts"), enabled: seesAccount(me) });
  const name = accounts.data?.[0]?.settings.organization_name ?? "";
  return name === "" ? null : (
    <span title={name} className="-mt-1 block truncate font-normal text-soft text-xs">
      <bdi>{name}</bdi>
    </span>
  );
}

function MenuList({ parts }: { readonly parts: readonly NavigationPart[] }) {
  return (
    <nav aria-label="Pages" className="flex flex-1 flex-col gap-4 overflow-y-auto px-2 pt-1 pb-4">
      {parts.map((part) => (
        <div key={part.label}>
          <p className="px-2.5 py-1 font-medium text-soft text-xs">{part.label}</p>
          <ul>
            {part.items.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === "/" }}
                  className="flex min-h-8 items-center gap-2.5 rounded-md px-2.5 no-underline hover:bg-sunken pointer-coarse:min-h-11"
                  activeProps={{ className: "bg-accent-ground text-accent font-medium" }}
                >
                  <Icon size={16} aria-hidden="true" />
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

interface NarrowMenuProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly parts: readonly NavigationPart[];
}

function NarrowMenu({ open, onOpenChange, parts }: NarrowMenuProps) {
  const giveBack = useOpener(open);
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="appear fixed inset-0 z-40 bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={giveBack}
          className="appear fixed inset-y-0 left-0 z-50 flex w-64 flex-col bg-card shadow-lift"
        >
          <Dialog.Title className="sr-only">Menu</Dialog.Title>
          <div className="flex items-center justify-between pr-2">
            <Brand />
            <Dialog.Close asChild>
              <IconButton label="Close the menu">
                <X size={18} aria-hidden="true" />
              </IconButton>
            </Dialog.Close>
          </div>
          <MenuList parts={parts} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const THEME_LABELS = { system: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" } as const;

function PersonMenu() {
  const me = useMe();
  const navigate = useNavigate();
  const [theme, setTheme] = useState(currentTheme);
  const signOut = async (): Promise<void> => {
    await callApi("DELETE /api/web-sessions/:sessionId", { params: { sessionId: "current" } }).catch(
      () => {},
    );
    window.location.assign("/");
  };
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  return (
    <Menu
      trigger={
        <Button weight="quiet" className={"max-w-56 font-normal!"}>
          <CircleUserRound size={18} aria-hidden="true" />
          <span className="truncate max-sm:sr-only">{me.name || me.email || "Me"}</span>
        </Button>
      }
      actions={[
        { label: "My account", onSelect: () => void navigate({ to: "/account" }) },
        {
          label: THEME_LABELS[theme],
          onSelect: () => {
            chooseTheme(next);
            setTheme(next);
          },
        },
        { label: "Documentation", onSelect: () => void window.open("/docs", "_blank", "noopener") },
        null,
        { label: "Sign out", onSelect: () => void signOut() },
      ]}
    />
  );
}
