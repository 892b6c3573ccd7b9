# libssh2 by Net::SSH2 of Perl. See clients.ts for what a client program is told and says.
use strict;
use warnings;
use JSON::PP;
use Fcntl;
use Net::SSH2;
use IO::Socket::INET;

my $it = decode_json($ARGV[0]);
$| = 1;

sub equal {
    my ($found, $wanted) = @_;
    $found //= "nothing";
    die "$found, not $wanted\n" unless $found eq $wanted;
}

sub check {
    my ($name, $act) = @_;
    my $ok = eval { local $SIG{ALRM} = sub { die "no end\n" }; alarm 8; $act->(); alarm 0; 1 };
    my $why = $@;
    alarm 0;
    chomp $why;
    print $ok ? "$name: ok\n" : "$name: $why\n";
}

# What the server said to the person.
my $heard = "";

# Connects and signs in. Not signed in: the second value is false.
sub enter {
    my ($user) = @_;
    my $made = Net::SSH2->new;
    $made->connect("127.0.0.1", $it->{port}) or die "no connection: " . ($made->error)[2];
    return ($made, $made->auth_publickey($user, "$it->{key}.pub", $it->{key})) if defined $it->{key};
    my $answer = sub {
        my ($self, $name_of_user, $name, $instruction, @prompts) = @_;
        $heard .= $instruction;
        return () unless @prompts;
        print "ASK " . JSON::PP->new->ascii->allow_nonref->encode("$instruction " . join " ", map { $_->{text} } @prompts) . "\n";
        my $line = <STDIN>;
        chomp $line;
        return ($line);
    };
    return ($made, $made->auth_keyboard($user, $answer));
}

my ($ssh, $is_in) = enter($it->{user});
die "no sign-in: " . ($ssh->error)[2] unless $is_in;

sub read_all {
    my ($channel) = @_;
    # What nobody reads of stderr would keep the end from being seen.
    $channel->ext_data("ignore");
    my $text = "";
    while (1) {
        my $count = $channel->read(my $data, 65536);
        last if !defined $count;
        last if $count == 0 && $channel->eof;
        $text .= $data if $count > 0;
    }
    return $text;
}

check("exec", sub {
    my $channel = $ssh->channel or die "no channel\n";
    $channel->exec("echo out; echo err >&2; exit 7") or die "no exec\n";
    equal(read_all($channel), "out\n");
    $channel->wait_closed;
    equal($channel->exit_status, 7);
});
check("stdin", sub {
    my $channel = $ssh->channel;
    $channel->exec("wc -c");
    my $left = 300_000;
    while ($left > 0) { my $count = $channel->write("x" x $left); die "no write\n" unless $count; $left -= $count }
    $channel->send_eof;
    my $text = read_all($channel);
    $text =~ s/\s//g;
    equal($text, "300000");
});
check("pty", sub {
    my $channel = $ssh->channel;
    $channel->pty("xterm", "", 101, 31) or die "no pty\n";
    $channel->exec("tty >/dev/null && stty size");
    my $text = read_all($channel);
    $text =~ s/\s+$//;
    equal($text, "31 101");
});
check("sftp", sub {
    my $files = $ssh->sftp or die "no sftp\n";
    my $at = sub { "$it->{dir}/$_[0]" };
    my $file = $files->open($at->("a"), O_WRONLY() | O_CREAT(), 0644) or die "no open\n";
    print $file "x" x 100_000;
    close $file;
    $files->rename($at->("a"), $at->("b")) or die "no rename\n";
    $files->symlink("b", $at->("link")) or die "no symlink\n";
    equal($files->readlink($at->("link")), "b");
    equal($files->stat($at->("link"))->{size}, 100_000);
    $files->unlink($at->($_)) for "link", "b";
});
check("-L", sub {
    my $channel = $ssh->tcpip("127.0.0.1", $it->{echoPort}) or die "no channel\n";
    $channel->write("hello ");
    $channel->send_eof;
    equal(read_all($channel), "hello bye");
});
check("-R", sub {
    my $port = 0;
    my $listener = $ssh->listen(0, "0.0.0.0", \$port) or die "no listener: " . ($ssh->error)[2] . "\n";
    my $pid = fork;
    if (!$pid) {
        my $stream = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port);
        my $text = $stream ? join("", <$stream>) : "";
        require POSIX;
        POSIX::_exit($text eq "from here" ? 0 : 1);
    }
    my $channel = $listener->accept or die "no stream\n";
    $channel->write("from here");
    $channel->send_eof;
    $channel->close;
    waitpid $pid, 0;
    equal($? >> 8, 0);
});
check("keepalive", sub {
    $ssh->keepalive_config(1, 1);
    $ssh->keepalive_send;
    my $channel = $ssh->channel;
    $channel->exec("echo on");
    equal(read_all($channel), "on\n");
});
check("refusal", sub {
    my $channel = $ssh->tcpip("127.0.0.1", 1);
    die "it was not refused\n" if $channel;
});
check("denial", sub {
    $heard = "";
    my ($other, $was_let_in) = enter($it->{deniedUser});
    die "it was let in\n" if $was_let_in;
    equal(($other->error)[1], "LIBSSH2_ERROR_AUTHENTICATION_FAILED");
    my $says = $it->{deniedSays} // "";
    die "it heard $heard\n" if index($heard, $says) < 0;
});
$ssh->disconnect;

