/**
 * Pages for browsers at `/` and at addresses that do not exist. Programs get JSON instead.
 *
 * @module
 */
import { html, page, pageHeaders } from "../../base/html.ts";

/** Whether the request is a person's navigation. API clients accept JSON, or anything. */
export function wantsPage(request: Request): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  return (request.headers.get("accept") ?? "").toLowerCase().includes("text/html");
}

/**
 * `/`: what this server is, how to sign in, and the first command to type. Reveals nothing that `qf` does not
 * tell everyone. `signInPath` is where the dashboard's sign-in begins; absent: there is none.
 */
export function rootPage(origin: string, signInPath?: string): Response {
  const signIn =
    signInPath === undefined
      ? null
      : html`<p><a class="button" href="${signInPath}">Sign in to the dashboard</a></p>`;
  return pageResponse(
    200,
    page(
      "SSH by who you are",
      html`<p>This is a QuFabric server.</p>
${signIn}
<p>You connect to machines from a terminal:</p>
<pre><code>qf login --management-url ${origin}
qf ls
qf ssh USER@MACHINE</code></pre>
<p class="hint">Asked to sign in? Open the link that your own terminal shows, and no other.</p>
<p class="hint">How everything works is in the <a href="/docs">documentation</a>.</p>`,
    ),
  );
}

/** The page for an address that does not exist. */
export function nothingHerePage(): Response {
  return pageResponse(
    404,
    page(
      "There is nothing here",
      html`<p>This address is not known to the server.</p>
<p><a class="button" href="/">To the first page</a></p>
<p class="hint">Or check the link, or go back to the terminal and start again.</p>`,
    ),
  );
}

function pageResponse(status: number, text: string): Response {
  return new Response(text, { status, headers: pageHeaders() });
}
