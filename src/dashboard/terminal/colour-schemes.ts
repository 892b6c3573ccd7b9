/**
 * Colour schemes of the terminal. Text that would be hard to read in one is made darker or lighter.
 *
 * @module
 */
import type { ITheme } from "@xterm/xterm";

export const SCHEME_NAMES = [
  "page",
  "dark",
  "light",
  "solarized dark",
  "solarized light",
  "contrast",
] as const;
export type SchemeName = (typeof SCHEME_NAMES)[number];

/** The sixteen colours of Solarized, by Ethan Schoonover. */
const SOLARIZED = {
  ...{ black: "#073642", red: "#dc322f", green: "#859900", yellow: "#b58900", blue: "#268bd2" },
  ...{ magenta: "#d33682", cyan: "#2aa198", white: "#eee8d5", brightBlack: "#002b36" },
  ...{ brightRed: "#cb4b16", brightGreen: "#586e75", brightYellow: "#657b83", brightBlue: "#839496" },
  ...{ brightMagenta: "#6c71c4", brightCyan: "#93a1a1", brightWhite: "#fdf6e3" },
};

const SCHEMES: Readonly<Record<Exclude<SchemeName, "page">, ITheme & { readonly background: string }>> = {
  dark: { background: "#12151b", foreground: "#eceef3", cursor: "#8fb0ff", selectionBackground: "#8fb0ff55" },
  light: {
    background: "#ffffff",
    foreground: "#14171d",
    cursor: "#2456d6",
    selectionBackground: "#2456d655",
  },
  "solarized dark": {
    ...{ ...SOLARIZED, background: "#002b36", foreground: "#93a1a1", cursor: "#93a1a1" },
    selectionBackground: "#586e7580",
  },
  "solarized light": {
    ...{ ...SOLARIZED, background: "#fdf6e3", foreground: "#586e75", cursor: "#586e75" },
    selectionBackground: "#93a1a180",
  },
  contrast: {
    ...{ background: "#000000", foreground: "#ffffff", cursor: "#ffff00" },
    selectionBackground: "#ffff0066",
  },
};

/** Null: the page's own colours. */
export function schemeOf(name: SchemeName): (ITheme & { readonly background: string }) | null {
  return name === "page" ? null : SCHEMES[name];
}

/** The scheme that was stored, else the page's. */
export function schemeNamed(stored: string | null): SchemeName {
  return SCHEME_NAMES.find((name) => name === stored) ?? "page";
}
