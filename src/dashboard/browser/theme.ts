/**
 * Light, dark, or as the system has it. Kept in a cookie, so that the server's page is right at the first
 * paint.
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

/** Shows it and keeps it. */
export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `qf_theme=${theme}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax`;
}
