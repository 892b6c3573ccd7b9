/** Usage and help of `qf ssh`. */
export const SSH_USAGE = `usage: qf ssh [-AnNqTtv] [-e escape_char] [-l login_name] [-p port] [-o option]
              [-L|-R|-D|-W|-J spec] [--management-url url] [--no-browser]
              [user@]host [command ...]
`;

export const SSH_HELP = `\
Log in to a peer, or run a command there, as ssh(1): options end at the host, all after it is the command.

${SSH_USAGE}
options:
  -l NAME               OS user on the peer (default: your own user name)
  -p PORT               port of the peer's SSH server (default: 22)
  -t                    ask for a terminal; twice: even when there is none here
  -T                    no terminal
  -n                    read nothing from stdin
  -N                    no command and no shell
  -q                    no warnings; -v says more, up to -vvv
  -e CHAR               escape character, or none (default: ~)
  -o KEY=VALUE          BatchMode, ConnectTimeout (seconds, default: 10), EscapeChar, LogLevel, Port,
                        RequestTTY, SendEnv, ServerAliveCountMax (default: 3), ServerAliveInterval
                        (seconds, default: 0, off), SetEnv, User
  --management-url URL  management server (default: QF_MANAGEMENT_URL, your config, this machine's)
  --no-browser          print a page to open anywhere instead of opening a browser here

You sign in with your identity provider; no keys are copied and no host key is trusted on first use.
QF_TOKEN_FILE or QF_TOKEN signs a service user in. Exit status: the remote's, 128+n for signal n, or 255.

examples:
  qf ssh deploy@web1
  qf ssh -t deploy@web1.qf.internal sudo systemctl restart web
`;
