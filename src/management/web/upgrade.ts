/**
 * Refusals on the WebSocket paths, before there is a socket.
 *
 * @module
 */

/**
 * Refuses requests that are not for a WebSocket, and browser pages of any origin but `ownOrigin`. Null: not
 * refused. `clients` names who connects here, for the message.
 */
export function refusalOfUpgrade(
  request: Request,
  path: { readonly clients: string; readonly ownOrigin: string | null },
): Response | null {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return refusal(426, `this is where ${path.clients} connect, by WebSocket`);
  }
  const origin = request.headers.get("origin");
  return origin === null || origin === path.ownOrigin ? null : refusal(403, "not from a browser");
}

/** The body that `wire/client-api.ts` calls `ApiFailure`. */
export function refusal(status: number, message: string): Response {
  return Response.json({ code: status, message, error: "ERR_UNAVAILABLE" }, { status });
}
