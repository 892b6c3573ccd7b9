/**
 * Pages of a running recording over a WebSocket, each requested once the one before is shown.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import { RecordingPage } from "../wire/recording.ts";
import { WATCH_FORBIDDEN, WATCH_OVER } from "../wire/session-watch.ts";
import type { Admin } from "./admin.ts";
import type { Screen } from "./replay.ts";

/** Interval of checking whether the person has stopped. */
const LOOK_MS = 250;

type News = { readonly page: string } | { readonly closed: number };

/**
 * Yields null instead of the first page when no WebSocket can be opened: then fetch pages one by one. Throws
 * ERR_FORBIDDEN when the right to watch ends, ERR_UNAVAILABLE when management goes away.
 */
export async function* watchedPages(
  admin: Pick<Admin, "connect">,
  recordingId: string,
  screen: Pick<Screen, "wait" | "isOver">,
): AsyncGenerator<RecordingPage | null> {
  const socket = await admin.connect(`/api/sessions/${recordingId}/watch`);
  // Holds at most a page and the end: the next page comes only on request.
  const news: News[] = [];
  let heard = (): void => {};
  const tell = (one: News): void => {
    news.push(one);
    heard();
  };
  let isOpen = false;
  socket.addEventListener("open", () => {
    isOpen = true;
  });
  socket.addEventListener("message", ({ data }) => tell({ page: String(data) }));
  socket.addEventListener("close", ({ code }) => tell({ closed: code }));
  socket.addEventListener("error", () => {});
  try {
    while (!screen.isOver) {
      const one = news.shift();
      if (one === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        heard = resolve;
        await Promise.race([promise, screen.wait(LOOK_MS)]);
      } else if ("page" in one) {
        yield pageOf(one.page);
        socket.send("next");
      } else {
        if (!isOpen) yield null;
        else if (one.closed !== WATCH_OVER) throw endOf(one.closed);
        return;
      }
    }
  } finally {
    socket.close();
  }
}

function pageOf(text: string): RecordingPage {
  const page = RecordingPage.safeParse(parseJson(text));
  if (page.success) return page.data;
  throw new QfError("ERR_UNAVAILABLE", "management sent something that is no part of a recording");
}

function endOf(code: number): QfError {
  return code === WATCH_FORBIDDEN
    ? new QfError("ERR_FORBIDDEN", "you may not watch this session any more")
    : new QfError("ERR_UNAVAILABLE", "the connection to management was lost", { hint: "watch it again" });
}
