/**
 * Following a recorded session while it runs: a WebSocket at `/api/sessions/{id}/watch`. Constants only:
 * pages have them too.
 *
 * Each message is a `RecordingPage` (`wire/recording.ts`) as JSON. The next one comes after the watcher has
 * sent a message, whatever it says, so that nobody is sent more than they show. A program sends its API
 * token. A page asks for a ticket by POST on the same path, and offers it as a subprotocol, `ticket.` and
 * the ticket, beside `WATCH_PROTOCOL`.
 *
 * @module
 */

/** The path; the one group is the id of a session or a recording. */
export const WATCH_PATH = /^\/api\/sessions\/([a-z0-9]{20})\/watch$/;
/** The subprotocol that is spoken. */
export const WATCH_PROTOCOL = "qufabric.watch";
/** Close code: the recording is over. */
export const WATCH_OVER = 1000;
/** Close code: the right to watch is gone. */
export const WATCH_FORBIDDEN = 4403;
/** Close code: management stops, or the recording cannot be read: try again. */
export const WATCH_AWAY = 1013;
