# net-ssh of Ruby, without its gems for X25519 and Ed25519. See clients.ts for what a client program is told
# and says.
require "json"
require "net/ssh"
require "net/sftp"
require "socket"
require "timeout"

IT = JSON.parse(ARGV[0])
$stdout.sync = true

# Asks as the harness wants to be asked.
class Asking
  def start(info)
    @text = info[:instruction].to_s
    self
  end

  def ask(prompt, _echo)
    puts "ASK #{JSON.generate("#{@text} #{prompt}")}"
    $stdin.gets.to_s.strip
  end

  def success; end
end

def equal(found, wanted)
  raise "#{found.inspect}, not #{wanted.inspect}" unless found == wanted
end

def check(name)
  Timeout.timeout(8) { yield }
  puts "#{name}: ok"
rescue StandardError => e
  puts "#{name}: #{e.class} #{e.message.lines.first}"
end

OPTIONS = { port: IT["port"], config: false, use_agent: false, verify_host_key: :never, keys_only: true }
if IT["key"].nil?
  OPTIONS.merge!(auth_methods: ["keyboard-interactive"], password_prompt: Asking.new, keys: [], number_of_password_prompts: 5)
else
  OPTIONS.merge!(auth_methods: ["publickey"], keys: [IT["key"]])
end

def run(ssh, command, input: nil, pty: false)
  out = +""
  status = nil
  ssh.open_channel do |channel|
    channel.request_pty(term: "xterm", chars_wide: 101, chars_high: 31) { |_, ok| raise "no pty" unless ok } if pty
    channel.exec(command) do |open, ok|
      raise "no exec" unless ok
      open.on_data { |_, data| out << data }
      open.on_request("exit-status") { |_, data| status = data.read_long }
      if input
        open.send_data(input)
        open.eof!
      end
    end
  end
  ssh.loop
  [out, status]
end

# What an echo says by this socket, which a forward of `ssh` serves.
def converse(ssh, socket)
  talk = Thread.new do
    socket.write("hello ")
    socket.readpartial(64)
  end
  ssh.loop(0.05) { talk.alive? }
  equal(talk.value, "hello ")
  socket.close
end

Net::SSH.start("127.0.0.1", IT["user"], OPTIONS) do |ssh|
  check("exec") { equal(run(ssh, "echo out; echo err >&2; exit 7"), ["out\n", 7]) }
  check("stdin") { equal(run(ssh, "wc -c", input: "x" * 300_000)[0].strip, "300000") }
  check("pty") { equal(run(ssh, "tty >/dev/null && stty size", pty: true)[0].strip, "31 101") }
  check("sftp") do
    files = Net::SFTP::Session.new(ssh).connect!
    at = ->(name) { "#{IT["dir"]}/#{name}" }
    files.file.open(at.("a"), "w") { |file| file.write("x" * 100_000) }
    files.rename!(at.("a"), at.("b"))
    files.symlink!("b", at.("link"))
    equal(files.readlink!(at.("link")).name, "b")
    equal(files.download!(at.("link")).length, 100_000)
    files.remove!(at.("link"))
    files.remove!(at.("b"))
    files.close_channel
  end
  check("-L") do
    heard = +""
    channel = ssh.open_channel("direct-tcpip", :string, "127.0.0.1", :long, IT["echoPort"], :string, "127.0.0.1", :long, 1) do |open|
      open.on_data { |_, data| heard << data }
      open.send_data("hello ")
      open.eof!
    end
    ssh.loop { channel.active? }
    equal(heard, "hello bye")
  end
  check("-R") do
    bound = nil
    ssh.forward.remote(IT["echoPort"], "127.0.0.1", 0, "0.0.0.0") { |port, _| bound = port }
    ssh.loop(0.05) { bound.nil? }
    converse(ssh, TCPSocket.new("127.0.0.1", bound))
  end
  check("unix -L") do
    path = ssh.forward.local_socket("#{IT["dir"]}/local.sock", IT["echoPath"])
    converse(ssh, UNIXSocket.new(path))
    ssh.forward.cancel_local_socket(path)
  end
  check("keepalive") do
    replied = nil
    ssh.send_global_request("keepalive@openssh.com") { |ok, _| replied = ok.nil? ? false : true }
    ssh.loop(0.1) { replied.nil? }
    equal(replied, true)
  end
  check("rekey") do
    ssh.transport.rekey!
    equal(run(ssh, "head -c 300000 /dev/zero")[0].length, 300_000)
  end
  check("refusal") do
    failed = nil
    channel = ssh.open_channel("direct-tcpip", :string, "127.0.0.1", :long, 1, :string, "127.0.0.1", :long, 1) {}
    channel.on_open_failed { |_, code, _| failed = code }
    ssh.loop { failed.nil? }
    equal(failed, 2)
  end
  # It asks its prompter once, and shows nothing of what the server says after that.
  check("denial") do
    begin
      Net::SSH.start("127.0.0.1", IT["deniedUser"], OPTIONS) { raise "it was let in" }
    rescue Net::SSH::AuthenticationFailed
      nil
    end
  end
end
