/** Usage and help of `qf ssh`. */
export const SSH_USAGE = `usage: qf ssh [-AaGnNqTtVv] [-e escape_char] [-l login_name] [-p port] [-o option]
              [-L|-R|-D|-W|-J spec] [--reason text] [--management-url url]
              [--no-browser]
              [user@]host [command ...]
`;

export const SSH_HELP = `\
Log in to a peer, or run a command there, like ssh(1). Options come before the host, and everything after
the host is the command.

${SSH_USAGE}
options:
  -l NAME               OS user on the peer (default: your own user name)
  -p PORT               port of the peer's SSH server (default: 22)
  -t                    request a terminal; -tt even if stdin is not a terminal
  -T                    do not request a terminal
  -n                    do not read stdin
  -N                    do not run a command or shell
  -L SPEC               [BIND:]PORT:HOST:HOSTPORT: forward a local port to HOST through the peer
  -R SPEC               [BIND:]PORT:HOST:HOSTPORT: forward a port on the peer to HOST through this
                        device; [BIND:]PORT alone is a SOCKS proxy there; port 0 lets the peer choose
  -D SPEC               [BIND:]PORT: a local SOCKS proxy (version 4, 4a and 5) through the peer
  -W HOST:PORT          connect stdin and stdout to HOST through the peer; implies -N and -T
  -J PEER               accepted and ignored: peers are reached without jump hosts
  -A                    forward your SSH agent to the peer; -a does not
  -q                    no warnings; -v is more verbose, up to -vvv
  -G                    print the options in effect and exit; -V prints the version
  -e CHAR               escape character, or none (default: ~)
  -o KEY=VALUE          BatchMode, ClearAllForwardings, ConnectTimeout (seconds, default: 10),
                        DynamicForward, EscapeChar, ExitOnForwardFailure, ForwardAgent, LocalForward,
                        LogLevel, Port, RemoteForward, RequestTTY, SendEnv, ServerAliveCountMax
                        (default: 3), ServerAliveInterval (seconds, default: 0, off), SetEnv, User
  --reason TEXT         what the access is for, where a policy wants a reason (default: QF_REASON, then what
                        qf reason set keeps; a terminal is asked)
  --management-url URL  management server (default: QF_MANAGEMENT_URL, your config, this machine's)
  --no-browser          print a link to open on any device instead of opening a browser here

Other options of ssh(1) that are harmless to leave out, such as -C, -c, -f or -o StrictHostKeyChecking, are
passed over with a word.

Forwards listen on loopback unless BIND names another address, or * for all. A path in place of PORT or
HOST:HOSTPORT is a unix socket. Both the peer's flags and the policy must allow a forward.

You sign in with your identity provider. No keys are copied, and no host key is trusted on first use.
QF_TOKEN_FILE or QF_TOKEN signs a service user in. Exit status: that of the remote command, 128+n for
signal n, or 255.

examples:
  qf ssh deploy@web1
  qf ssh -t deploy@web1.qf.internal sudo systemctl restart web
  qf ssh -N -L 5432:db.internal:5432 deploy@web1
`;
