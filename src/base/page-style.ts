/**
 * The style of our pages: one type scale, one spacing scale, one accent, and the icon. No script, and no
 * external fonts or images.
 *
 * @module
 */
import stylesheet from "./page-style.css" with { type: "text" };

/** The style sheet, inlined in every page. */
export const STYLE = stylesheet;

/** A woven square, inline in the page: two threads over and under each other. */
export const ICON_MARKUP =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" ' +
  'focusable="false"><rect width="32" height="32" rx="8" fill="#2f5fe0"/>' +
  '<path fill="none" stroke="#fff" ' +
  'stroke-width="3.5" stroke-linecap="round" d="M11 6v8m0 5v7M21 6v3m0 5v12M6 11h3m5 0h12M6 21h12m5 0h3"/>' +
  "</svg>";

/** The browser tab's icon. */
export const ICON_URL = `data:image/svg+xml,${encodeURIComponent(ICON_MARKUP)}`;
