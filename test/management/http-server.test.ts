import { afterEach, expect, test } from "bun:test";
import { type HttpServer, openHttpServer } from "../../src/management/http-server.ts";

let server: HttpServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const open = (): string => {
  server = openHttpServer(
    { hostname: "127.0.0.1", port: 0, tls: null, publicOrigin: null, dashboardOrigin: null, moves: false },
    0,
  );
  return `http://127.0.0.1:${server.port}`;
};

test.each(["/api/groups", "/api/openapi.json", "/client/v1/config", "/"])(
  "while management starts, %s is refused in the shape of every refusal",
  async (path) => {
    const response = await fetch(`${open()}${path}`);
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toStartWith("application/json");
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toEqual({
      code: 503,
      message: "management is starting",
      error: "ERR_UNAVAILABLE",
    });
  },
);

test("what fails unexpectedly is refused in that shape as well, and says nothing of itself", async () => {
  const url = open();
  const answer = (): never => {
    throw new Error("a secret");
  };
  const none = { websocket: {} } as never;
  server?.open({ answer }, { sync: none, relay: none, watch: none });
  const response = await fetch(`${url}/api/groups`);
  expect(response.status).toBe(500);
  const body = await response.json();
  expect(body).toMatchObject({ code: 500, error: "ERR_INTERNAL" });
  expect(JSON.stringify(body)).not.toContain("a secret");
});
