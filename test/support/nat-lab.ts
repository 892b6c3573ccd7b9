/**
 * Two hosts, each behind a NAT of its own, and management between them, in network namespaces:
 *
 *   hosta ── nata ──┐            ┌── natb ── hostb
 *   10.1.0.2        ├── bridge ──┤           10.2.0.2
 *                   management
 *
 * Nobody can reach the hosts from outside. On each host 127.0.0.1 at management's port is management, since
 * plain http is for loopback only. Everything made here carries a random name and goes with `close`.
 */
import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MASQUERADE = `table ip nat {
  chain post { type nat hook postrouting priority 100; oifname "outer" masquerade; }
}
table inet guard {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "inner" accept
    ct status dnat accept
  }
}`;

export interface NatLab {
  /** Management's address and those of the two routers, on the network between them. */
  readonly management: string;
  readonly natB: string;
  readonly port: number;
  /** A script that runs `executable` on a host, for whoever takes a path. */
  wrapper(host: Host, executable: string, folder: string): string;
  /** Runs a command on a host to its end. */
  run(
    host: Host,
    command: readonly string[],
    env?: Record<string, string>,
  ): { exitCode: number; stdout: string };
  /** Opens a port of the router of hostb for hostb itself. */
  forwardToB(port: number): void;
  /**
   * Gives both hosts IPv6 addresses, routed to each other; hostb's router lets `port` through. Returns
   * hostb's.
   */
  routeIpv6(port: number): string;
  close(): void;
}
export type Host = "hosta" | "hostb" | "management";

/** Whether this machine lets us make network namespaces with NAT in them. */
export function hasNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  const name = `qf-probe-${randomBytes(3).toString("hex")}`;
  try {
    run("ip", "netns", "add", name);
    nft(name, MASQUERADE);
    run("ip", "netns", "exec", name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    return true;
  } catch {
    return false;
  } finally {
    Bun.spawnSync(["ip", "netns", "del", name], { stderr: "ignore" });
  }
}

export function openNatLab(): NatLab {
  const id = randomBytes(3).toString("hex");
  const net = `198.${18 + randomInt(2)}.${randomInt(256)}`;
  const port = randomInt(20_000, 30_000);
  const spaces = ["hosta", "nata", "hostb", "natb", "management"].map((name) => `qf-${id}-${name}`);
  const space = (name: string) => `qf-${id}-${name}`;
  const close = () => {
    // The far ends go with their namespaces; ours is one of them.
    for (const name of spaces) Bun.spawnSync(["ip", "netns", "del", name], { stderr: "ignore" });
    Bun.spawnSync(["ip", "link", "del", `qf${id}`], { stderr: "ignore" });
  };
  const on = (name: string, ...command: string[]) => run("ip", "netns", "exec", space(name), ...command);
  try {
    for (const name of spaces) run("ip", "netns", "add", name);
    for (const name of spaces) run("ip", "-n", name, "link", "set", "lo", "up");
    on("management", "ip", "link", "add", "between", "type", "bridge");
    on("management", "ip", "link", "set", "between", "up");
    on("management", "ip", "addr", "add", `${net}.10/24`, "dev", "between");
    // The test itself looks in by an address of its own.
    run("ip", "link", "add", `qf${id}`, "type", "veth", "peer", "name", "test", "netns", space("management"));
    on("management", "ip", "link", "set", "test", "master", "between", "up");
    run("ip", "addr", "add", `${net}.250/24`, "dev", `qf${id}`);
    run("ip", "link", "set", `qf${id}`, "up");
    for (const [letter, number] of [
      ["a", 1],
      ["b", 2],
    ] as const) {
      const [host, nat] = [`host${letter}`, `nat${letter}`];
      const outer = ["link", "add", "outer", "netns", space(nat), "type", "veth"];
      run("ip", ...outer, "peer", "name", nat, "netns", space("management"));
      on("management", "ip", "link", "set", nat, "master", "between", "up");
      on(nat, "ip", "addr", "add", `${net}.1${number}/24`, "dev", "outer");
      on(nat, "ip", "link", "set", "outer", "up");
      const inner = ["link", "add", "inner", "netns", space(nat), "type", "veth"];
      run("ip", ...inner, "peer", "name", "eth0", "netns", space(host));
      on(nat, "ip", "addr", "add", `10.${number}.0.1/24`, "dev", "inner");
      on(nat, "ip", "link", "set", "inner", "up");
      on(nat, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
      nft(space(nat), MASQUERADE);
      on(host, "ip", "addr", "add", `10.${number}.0.2/24`, "dev", "eth0");
      on(host, "ip", "link", "set", "eth0", "up");
      on(host, "ip", "route", "add", "default", "via", `10.${number}.0.1`);
      on(host, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet");
      nft(space(host), loopbackTo(`${net}.10`, port));
    }
  } catch (cause) {
    close();
    throw cause;
  }
  return {
    management: `${net}.10`,
    natB: `${net}.12`,
    port,
    wrapper(host, executable, folder) {
      const path = join(folder, `qf-${host}`);
      writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${space(host)} '${executable}' "$@"\n`);
      chmodSync(path, 0o755);
      return path;
    },
    run(host, command, env = { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin" }) {
      const argv = ["ip", "netns", "exec", space(host), ...command];
      const { exitCode, stdout } = Bun.spawnSync(argv, {
        env,
        stdin: "ignore",
        stderr: "ignore",
        timeout: 15_000,
      });
      return { exitCode, stdout: stdout.toString() };
    },
    forwardToB(opened) {
      nft(
        space("natb"),
        `table ip open {
  chain pre { type nat hook prerouting priority -100; tcp dport ${opened} dnat to 10.2.0.2:${opened}; }
}`,
      );
    },
    routeIpv6(opened) {
      for (const name of ["hosta", "nata", "hostb", "natb"]) {
        on(name, "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
      }
      const sides = [
        ["a", "fd00:1::", "fd00:2::", "fd00:ff::a", "fd00:ff::b"],
        ["b", "fd00:2::", "fd00:1::", "fd00:ff::b", "fd00:ff::a"],
      ] as const;
      for (const [letter, near, far, own, other] of sides) {
        const [host, nat] = [`host${letter}`, `nat${letter}`];
        const add = (name: string, address: string, device: string) =>
          on(name, "ip", "-6", "addr", "add", `${address}/64`, "dev", device, "nodad");
        add(nat, own, "outer");
        add(nat, `${near}1`, "inner");
        add(host, `${near}2`, "eth0");
        on(host, "ip", "-6", "route", "add", "default", "via", `${near}1`);
        on(nat, "ip", "-6", "route", "add", `${far}/64`, "via", other, "dev", "outer");
        on(nat, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
      }
      const accept = ["ip6", "daddr", "fd00:2::2", "tcp", "dport", String(opened), "accept"];
      on("natb", "nft", "add", "rule", "inet", "guard", "forward", ...accept);
      return "fd00:2::2";
    },
    close,
  };
}

function loopbackTo(address: string, port: number): string {
  return `table ip loopback {
  chain out {
    type nat hook output priority -100;
    ip daddr 127.0.0.1 tcp dport ${port} dnat to ${address}:${port}
  }
  chain post { type nat hook postrouting priority 100; oifname "eth0" masquerade; }
}`;
}

function nft(space: string, rules: string): void {
  run("ip", "netns", "exec", space, "sh", "-c", `nft -f - <<'RULES'\n${rules}\nRULES`);
}

function run(...command: string[]): void {
  const result = Bun.spawnSync(command, {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: 10_000,
  });
  if (result.exitCode !== 0) throw new Error(`${command.join(" ")}: ${result.stderr}`);
}
