import { beforeEach, describe, expect, test } from "bun:test";
import { TestApi } from "../../../support/admin-api.ts";
import { offering } from "../../../support/offered-releases.ts";

const PATH = "/api/rollouts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open({ releases: offering("1.2.0") });
});

const start = (body: object = {}, token?: string) => api.call("POST", PATH, body, token);

describe("a rollout", () => {
  test("is of the newest release to all machines, in three stages, unless it is said", async () => {
    const { status, body } = await start();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ version: "1.2.0", group: null, stages: [10, 50, 100], percent: 10 },
      ...{ pause_seconds: 600, failures_max: 0, state: "running", why: "", ended_at: null },
    });
    expect((await api.call("GET", `${PATH}/${body.id}`)).body).toEqual(body);
    expect((await api.call("GET", PATH)).body).toEqual([body]);
    expect((await api.call("GET", `${PATH}/${body.id}/machines`)).body).toEqual([]);
  });

  test.each<[string, object, number]>([
    ["a release that is not there", { version: "9.9.9" }, 404],
    ["a group that is not there", { group: "group000000000000000" }, 404],
    ["no version", { version: "newest" }, 422],
    ["stages that do not end with all", { stages: [10, 50] }, 422],
    ["stages that go back", { stages: [50, 10, 100] }, 422],
    ["no stages", { stages: [] }, 422],
    ["a pause below nothing", { pause_seconds: -1 }, 422],
  ])("%s is refused", async (_what, body, want) => {
    expect((await start(body)).status).toBe(want);
    expect((await api.call("GET", PATH)).body).toEqual([]);
  });

  test("goes on one at a time", async () => {
    const { body } = await start();
    expect((await start()).status).toBe(409);
    expect((await api.call("DELETE", `${PATH}/${body.id}`)).body.state).toBe("cancelled");
    expect((await start()).status).toBe(200);
  });

  // From each state, what may be asked for, and what comes of it.
  test.each<[string, string[], string, string, number | string]>([
    ["running is halted", [], "POST", "/halt", "halted"],
    ["running is not resumed", [], "POST", "/resume", 409],
    ["halted is resumed", ["/halt"], "POST", "/resume", "running"],
    ["halted stays so", ["/halt"], "POST", "/halt", "halted"],
    ["cancelled is not halted", ["DELETE"], "POST", "/halt", 409],
    ["halted is cancelled", ["/halt"], "DELETE", "", "cancelled"],
    ["cancelled is not resumed", ["DELETE"], "POST", "/resume", 409],
    ["cancelled is not cancelled", ["DELETE"], "DELETE", "", 409],
  ])("that is %s", async (_what, before, method, path, want) => {
    const { id } = (await start()).body;
    for (const step of before) {
      await api.call(step === "DELETE" ? step : "POST", `${PATH}/${id}${step === "DELETE" ? "" : step}`);
    }
    const { status, body } = await api.call(method, `${PATH}/${id}${path}`);
    expect(status === 200 ? body.state : status).toBe(want);
  });

  test.each(["user", "auditor"] as const)("is not started by a person of role %s", async (role) => {
    const { token } = await api.tokenAs(role);
    expect((await start({}, token)).status).toBe(403);
  });

  test("of another account is not there", async () => {
    const { id } = (await start()).body;
    const other = await TestApi.open({ releases: offering("1.2.0") });
    expect((await other.call("GET", `${PATH}/${id}`)).status).toBe(404);
    expect((await other.call("DELETE", `${PATH}/${id}`)).status).toBe(404);
  });
});
