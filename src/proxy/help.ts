/** Usage and help of `qf proxy`. */
export const PROXY_USAGE = `usage: qf proxy match [--domain D] HOST
       qf proxy connect [--fdpass] HOST PORT
       qf proxy known-hosts HOST
`;

export const PROXY_HELP = `What OpenSSH calls to reach peers. qf ssh-config install writes the configuration that does.

${PROXY_USAGE}
options, before the names:
  --domain D         match: the account's domain (default: those this person has connected to)
  --fdpass           connect: hand the connection over as ProxyUseFdpass wants it
  --config-dir PATH  the person's config folder, where it is not ~/.config/qufabric

match says by its exit status whether HOST is a peer: 0 or 1, from local files, asking nobody.

connect signs in when needed, gets a certificate for HOST, writes it where ssh reads it and connects. Without
--fdpass it carries the bytes between the peer and its own stdin and stdout. PORT is 22 or 22022.

known-hosts prints the host keys that management named for HOST when it was last connected to.

examples:
  qf proxy match web1.qf.internal && echo a peer
  qf proxy known-hosts web1.qf.internal
`;
