/**
 * How long a change in management takes to count on a machine: from the request that makes it to the end
 * of a connection that is no longer allowed, and to the new map in force at the agent.
 */
import { Client } from "ssh2";
import { askStatus } from "../../src/agent/control-socket/control-client.ts";
import type { LabPolicy } from "../support/lab.ts";
import { policyBody } from "../support/lab.ts";
import { connectClient, type LoadedKey, loadKey } from "./client.ts";
import { type Bench, histogram, type Part, spread, spreadFigures } from "./figures.ts";
import { type Field, openField } from "./openssh.ts";

const SAMPLES = 100;
/** A certificate is good for two minutes. */
const RENEW_EVERY = 20;
const TIMEOUT_MS = 10_000;
const POLL_MS = 1;

export const changesPart: Part = {
  name: "changes",
  async run(bench) {
    await using field = await openField();
    await benchRevocation(bench, field);
    await benchMap(bench, field);
  },
};

/** Two ways by turns: the person leaves the group, the policy is switched off. */
async function benchRevocation(bench: Bench, field: Field): Promise<void> {
  const { lab, person, devs } = field;
  const ways = [
    { off: () => lab.setGroups(person, []), on: () => lab.setGroups(person, [devs]) },
    { off: () => setPolicy(field, false), on: () => setPolicy(field, true) },
  ];
  const samplesMs: number[] = [];
  let key = loadKey(field.key, true);
  for (let i = 0; i < SAMPLES; i++) {
    if (i % RENEW_EVERY === 0) {
      await field.renew();
      key = loadKey(field.key, true);
    }
    const { closedAtMs } = await openBusy(field, key);
    const way = ways[i % ways.length];
    const startMs = performance.now();
    await way?.off();
    samplesMs.push((await closedAtMs) - startMs);
    await way?.on();
  }
  bench.note(histogram("revocation, from the request to the closed connection", samplesMs));
  bench.add({
    what: `revocation to closed connection, ${SAMPLES} times (group left, policy switched off)`,
    ours: spread(samplesMs),
    reach: "p99 <= 1 s",
    figures: spreadFigures(samplesMs),
  });
}

export async function setPolicy(
  { lab, policy, devs, servers, user }: Field,
  enabled: boolean,
): Promise<void> {
  const body = policyBody("devs", [devs], [servers], { authorized_groups: { [devs]: [user] }, enabled });
  await lab.api<LabPolicy>("PUT", `/api/policies/${policy.id}`, body);
}

interface Busy {
  readonly closedAtMs: Promise<number>;
}

/** A connection with a command that runs; settles with the moment of its end. Waits until it is let in. */
async function openBusy(field: Field, key: LoadedKey): Promise<Busy> {
  const end = performance.now() + TIMEOUT_MS;
  for (;;) {
    const busy = await tryBusy(field, key);
    if (busy !== null) return busy;
    if (performance.now() > end) throw new Error("access did not come back");
    await Bun.sleep(20);
  }
}

function tryBusy(field: Field, key: LoadedKey): Promise<Busy | null> {
  const client = new Client();
  const closed = new Promise<number>((resolve) => client.on("close", () => resolve(performance.now())));
  return new Promise((resolve) => {
    client
      .on("error", () => resolve(null))
      .on("close", () => resolve(null))
      .on("ready", () =>
        client.exec("echo up; exec sleep 60", (error, channel) => {
          if (error !== undefined) return resolve(null);
          channel.once("data", () => resolve({ closedAtMs: closed }));
        }),
      );
    connectClient(client, field, key);
  });
}

/** Each time a policy is made or taken away that concerns this machine. */
async function benchMap(bench: Bench, { lab, agent, devs, servers }: Field): Promise<void> {
  const samplesMs: number[] = [];
  let made: LabPolicy | undefined;
  for (let i = 0; i < SAMPLES; i++) {
    const before = await versionOf(agent.stateDir);
    const startMs = performance.now();
    if (made === undefined) made = await lab.createPolicy("more", [devs], [servers]);
    else {
      await lab.api("DELETE", `/api/policies/${made.id}`);
      made = undefined;
    }
    while ((await versionOf(agent.stateDir)) <= before) {
      if (performance.now() - startMs > TIMEOUT_MS) throw new Error("the map did not come");
      await Bun.sleep(POLL_MS);
    }
    samplesMs.push(performance.now() - startMs);
  }
  bench.note(histogram("policy change, from the request to the map in force at the agent", samplesMs));
  bench.add({
    what: `policy change to map in force at its agent, ${SAMPLES} times`,
    ours: spread(samplesMs),
    reach: "p99 <= 100 ms",
    figures: spreadFigures(samplesMs),
  });
}

async function versionOf(stateDir: string): Promise<number> {
  return (await askStatus(stateDir))?.management.mapVersion ?? 0;
}
