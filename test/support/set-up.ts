/**
 * A lab described as data: accounts, groups, people, policies, machines and devices in, handles out.
 *
 * What a plan leaves out is the common case: Ada is a developer, developers may log in to the servers as
 * any of the plan's accounts, `web1` is a server, and Ada's laptop is signed in. Groups `devs` and `servers`
 * are always there. Disposing of it ends every process and removes the accounts; a set-up that fails does so
 * by itself.
 */
import { type Lab, type LabAgent, type LabDevice, type LabPolicy, openLab, type Person } from "./lab.ts";
import { OsAccount } from "./os-accounts.ts";

export interface PolicyPlan {
  readonly name?: string;
  /** Whom developers may log in as: an account of the plan by its word, or a name. Absent: every account. */
  readonly logins?: readonly string[];
  /** Other fields of its rule, which win over those above. */
  readonly rule?: Readonly<Record<string, unknown>>;
}

export interface LabPlan {
  /** A lab that is there already, with its management. It is disposed of with the rest. Absent: a new one. */
  readonly lab?: Lab;
  /** Arguments of `qf management serve`, for a new lab. */
  readonly serveArgs?: readonly string[];
  /** OS accounts: a word for the name, and arguments of useradd. */
  readonly accounts?: readonly (readonly [word: string, ...args: string[]])[];
  /** Groups beside `devs` and `servers`: what a plan calls them, and their names. */
  readonly groups?: Readonly<Record<string, string>>;
  /** People by the first part of their address, with their groups. */
  readonly people?: Readonly<Record<string, readonly string[]>>;
  /** SSH policies from developers to servers. */
  readonly policies?: readonly PolicyPlan[];
  /** Servers by name, with flags of `qf agent up`. */
  readonly machines?: Readonly<Record<string, readonly string[]>>;
  /** Devices by name, with their person. */
  readonly devices?: Readonly<Record<string, string>>;
  /** For how many seconds every device is signed in; false: not at all. */
  readonly login?: number | false;
}

/** Carries out a plan, in its order. */
export async function openSetUp(plan: LabPlan = {}): Promise<SetUp> {
  const accounts = new Map<string, OsAccount>();
  let lab = plan.lab;
  try {
    for (const [word, ...args] of plan.accounts ?? []) accounts.set(word, new OsAccount(word, args));
    lab ??= await openLab({ serveArgs: plan.serveArgs ?? [] });
    const setUp = new SetUp(lab, accounts);
    await setUp.fill(plan);
    return setUp;
  } catch (cause) {
    await lab?.[Symbol.asyncDispose]();
    for (const account of accounts.values()) account[Symbol.dispose]();
    throw cause;
  }
}

/** Handles of what a plan made. `agent`, `person` and the like are the first of their kind. */
export class SetUp implements AsyncDisposable {
  readonly lab: Lab;
  readonly #accounts: ReadonlyMap<string, OsAccount>;
  readonly #groups = new Map<string, string>();
  readonly #people = new Map<string, Person>();
  readonly #policies: LabPolicy[] = [];
  readonly #machines = new Map<string, LabAgent>();
  readonly #devices = new Map<string, LabDevice>();

  constructor(lab: Lab, accounts: ReadonlyMap<string, OsAccount>) {
    this.lab = lab;
    this.#accounts = accounts;
  }

  async fill(plan: LabPlan): Promise<void> {
    const { lab } = this;
    const groups = { devs: "Developers", servers: "Servers", ...plan.groups };
    for (const [word, name] of Object.entries(groups)) this.#groups.set(word, await lab.createGroup(name));
    for (const [name, words] of Object.entries(plan.people ?? { ada: ["devs"] })) {
      this.#people.set(name, await lab.createPerson(`${name}@example.com`, words.map(this.group)));
    }
    for (const policy of plan.policies ?? [{}]) this.#policies.push(await this.#createPolicy(policy));
    for (const [name, args] of Object.entries(plan.machines ?? { web1: [] })) {
      this.#machines.set(name, await lab.startAgent(name, { groups: [this.servers], args }));
    }
    for (const [name, person] of Object.entries(plan.devices ?? { laptop: "ada" })) {
      const device = lab.device(this.personNamed(person), name);
      if (plan.login !== false) await device.login(plan.login);
      this.#devices.set(name, device);
    }
  }

  #createPolicy({ name = "devs", logins, rule }: PolicyPlan): Promise<LabPolicy> {
    const words = logins ?? [...this.#accounts.keys()];
    const names = words.map((word) => this.#accounts.get(word)?.name ?? word);
    const authorized = names.length === 0 ? {} : { authorized_groups: { [this.devs]: names } };
    return this.lab.createPolicy(name, [this.devs], [this.servers], { ...authorized, ...rule });
  }

  get account(): OsAccount {
    return first([...this.#accounts.values()], "account");
  }
  get devs(): string {
    return this.group("devs");
  }
  get servers(): string {
    return this.group("servers");
  }
  get person(): Person {
    return first([...this.#people.values()], "person");
  }
  get policy(): LabPolicy {
    return first(this.#policies, "policy");
  }
  get agent(): LabAgent {
    return first([...this.#machines.values()], "machine");
  }
  get device(): LabDevice {
    return first([...this.#devices.values()], "device");
  }

  readonly accountNamed = (word: string): OsAccount => named(this.#accounts, word);
  /** The id of a group, by what the plan calls it. */
  readonly group = (word: string): string => named(this.#groups, word);
  readonly personNamed = (name: string): Person => named(this.#people, name);
  readonly machine = (name: string): LabAgent => named(this.#machines, name);
  readonly deviceNamed = (name: string): LabDevice => named(this.#devices, name);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
    for (const account of this.#accounts.values()) account[Symbol.dispose]();
  }
}

function first<T>(all: readonly T[], what: string): T {
  const [one] = all;
  if (one === undefined) throw new Error(`the plan has no ${what}`);
  return one;
}

function named<T>(all: ReadonlyMap<string, T>, name: string): T {
  const one = all.get(name);
  if (one === undefined) throw new Error(`the plan has no ${name}`);
  return one;
}
