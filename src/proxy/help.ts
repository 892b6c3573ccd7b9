/** Usage and help of `qf proxy`. */
export const PROXY_USAGE = `usage: qf proxy match [--domain D] HOST
       qf proxy connect [--fdpass] HOST PORT
       qf proxy known-hosts HOST
       qf proxy socks [--config-dir PATH]
`;

export const PROXY_HELP = `Commands that OpenSSH runs to reach peers, as configured by qf ssh-config install;
and a proxy for other SSH programs.

${PROXY_USAGE}
options, before the names:
  --domain D         match: the account's domain (default: the domains you have connected to)
  --fdpass           connect: pass the connection to ssh, as ProxyUseFdpass expects
  --config-dir PATH  your config folder (default: ~/.config/qufabric)

match exits with 0 if HOST is a peer and 1 if it is not. It reads local files only.

connect signs in if needed, gets a certificate for HOST, writes it where ssh reads it, and connects.
Without --fdpass it copies data between the peer and its own stdin and stdout. PORT is 22 or 22022.

known-hosts prints the host keys that management gave for HOST when you last connected to it.

socks listens on 127.0.0.1 until it is stopped, and prints its URL as a SOCKS version 5 and as an HTTP
proxy, with a port and password that are new each time. Programs of your own user reach peers through it,
at 22 and 22022 and by name or address, and nothing else. The peer shows them a page on which you sign in; a
policy must allow that (allow_unmanaged_devices). Host keys are checked here.

examples:
  qf proxy match web1.qf.internal && echo a peer
  qf proxy known-hosts web1.qf.internal
  qf proxy socks
`;
