/**
 * The theme: light, dark, or the system's. A cookie stores it, so that the server renders the first paint
 * correctly.
 *
 * @module
 */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const YEAR_SECONDS = 31_536_000;

export function currentTheme(): Theme {
  const theme = document.documentElement.dataset.theme;
  return THEMES.find((one) => one === theme) ?? "system";
}

/** Applies the theme and stores it. */
export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `qf_theme=${theme}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax`;
}
