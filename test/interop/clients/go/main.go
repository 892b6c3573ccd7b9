// Command go-client is golang.org/x/crypto/ssh with github.com/pkg/sftp, as their users write them.
// See test/support/ssh-clients.ts for what a client program is told and says.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

type told struct {
	Port     int
	User     string
	Key      *string
	Dir      string
	EchoPort int
	EchoPath string

	DeniedUser string
	DeniedSays string

	Transfers int
	File      string
}

type check struct {
	name string
	act  func(*ssh.Client, told) error
}

var checks = []check{
	{"exec", tryExec}, {"stdin", tryStdin}, {"pty", tryPty}, {"sftp", trySftp},
	{"-L", tryLocal}, {"-R", tryRemote}, {"unix -L", tryUnixLocal}, {"unix -R", tryUnixRemote},
	{"keepalive", tryKeepalive}, {"rekey", tryRekey}, {"refusal", tryRefusal},
	{"denial", tryDenial},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		printVersion()
		return
	}
	var it told
	if err := json.Unmarshal([]byte(os.Args[1]), &it); err != nil {
		panic(err)
	}
	client, err := connect(it, it.User)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer client.Close()
	for range it.Transfers {
		checks = append(checks, check{"transfer", tryTransfer})
	}
	if it.Transfers > 0 {
		checks = checks[len(checks)-it.Transfers:]
	}
	for _, one := range checks {
		if err := one.act(client, it); err != nil {
			fmt.Printf("%s: %v\n", one.name, err)
		} else {
			fmt.Printf("%s: ok\n", one.name)
		}
	}
}

func printVersion() {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "golang.org/x/crypto" {
			fmt.Println(module.Version)
		}
	}
}

func connect(it told, user string) (*ssh.Client, error) {
	config := &ssh.ClientConfig{User: user, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second}
	// Half a gigabyte would be the default; what tryRekey carries is more than this.
	config.RekeyThreshold = 1 << 20
	if it.Key == nil {
		config.Auth = []ssh.AuthMethod{ssh.KeyboardInteractive(answer)}
	} else {
		text, err := os.ReadFile(*it.Key)
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, err
		}
		config.Auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	}
	return ssh.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", it.Port), config)
}

var input = bufio.NewReader(os.Stdin)

// What the server said to the person.
var heard strings.Builder

func answer(_, instruction string, questions []string, _ []bool) ([]string, error) {
	heard.WriteString(instruction)
	if len(questions) == 0 {
		return nil, nil
	}
	asked, _ := json.Marshal(instruction + " " + strings.Join(questions, " "))
	fmt.Printf("ASK %s\n", asked)
	line, err := input.ReadString('\n')
	return []string{strings.TrimSpace(line)}, err
}

func equal(found, wanted string) error {
	if found != wanted {
		return fmt.Errorf("%q, not %q", found, wanted)
	}
	return nil
}

func tryExec(client *ssh.Client, _ told) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	output, err := session.Output("echo out; echo err >&2; exit 7")
	var exit *ssh.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("no exit status: %v", err)
	}
	return equal(fmt.Sprint(string(output), exit.ExitStatus()), "out\n7")
}

func feed(client *ssh.Client, size int) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	session.Stdin = strings.NewReader(strings.Repeat("x", size))
	output, err := session.Output("wc -c")
	if err != nil {
		return err
	}
	return equal(strings.TrimSpace(string(output)), fmt.Sprint(size))
}

func tryStdin(client *ssh.Client, _ told) error { return feed(client, 300000) }

func tryPty(client *ssh.Client, _ told) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.RequestPty("xterm", 31, 101, ssh.TerminalModes{}); err != nil {
		return err
	}
	output, err := session.Output("tty >/dev/null && stty size")
	if err != nil {
		return err
	}
	return equal(strings.TrimSpace(string(output)), "31 101")
}

func trySftp(client *ssh.Client, it told) error {
	files, err := sftp.NewClient(client)
	if err != nil {
		return err
	}
	defer files.Close()
	a, b, link := path.Join(it.Dir, "a"), path.Join(it.Dir, "b"), path.Join(it.Dir, "link")
	file, err := files.Create(a)
	if err != nil {
		return err
	}
	if _, err := file.Write(make([]byte, 100000)); err != nil {
		return err
	}
	if err := errors.Join(file.Close(), files.Rename(a, b), files.Symlink("b", link)); err != nil {
		return err
	}
	target, err := files.ReadLink(link)
	if err != nil {
		return err
	}
	stat, err := files.Stat(link)
	if err != nil {
		return err
	}
	return errors.Join(
		equal(fmt.Sprint(target, stat.Size()), "b100000"), files.Remove(link), files.Remove(b))
}

func converse(client *ssh.Client, network, address string) error {
	connection, err := client.Dial(network, address)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("hello ")); err != nil {
		return err
	}
	if err := connection.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return err
	}
	text, err := io.ReadAll(connection)
	return errors.Join(err, equal(string(text), "hello bye"))
}

func tryLocal(client *ssh.Client, it told) error {
	return converse(client, "tcp", fmt.Sprintf("127.0.0.1:%d", it.EchoPort))
}

func tryUnixLocal(client *ssh.Client, it told) error { return converse(client, "unix", it.EchoPath) }

func greet(listener net.Listener, network, address string) error {
	defer listener.Close()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			fmt.Fprint(connection, "from here")
			connection.Close()
		}
	}()
	connection, err := net.DialTimeout(network, address, 8*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	text, err := io.ReadAll(connection)
	return errors.Join(err, equal(string(text), "from here"))
}

func tryRemote(client *ssh.Client, _ told) error {
	listener, err := client.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		return err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return greet(listener, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

func tryUnixRemote(client *ssh.Client, it told) error {
	place := path.Join(it.Dir, "remote.sock")
	listener, err := client.ListenUnix(place)
	if err != nil {
		return err
	}
	return greet(listener, "unix", place)
}

func tryKeepalive(client *ssh.Client, it told) error {
	for range 3 {
		if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
			return err
		}
	}
	return tryExec(client, it)
}

func tryRekey(client *ssh.Client, _ told) error { return feed(client, 6<<20) }

// There and back through cat(1), byte for byte, while keys change.
func tryTransfer(client *ssh.Client, it told) error {
	data, err := os.ReadFile(it.File)
	if err != nil {
		return err
	}
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	session.Stdin = bytes.NewReader(data)
	output, err := session.Output("cat")
	if err == nil && !bytes.Equal(output, data) {
		err = errors.New("other bytes came")
	}
	return err
}

func tryRefusal(client *ssh.Client, _ told) error {
	connection, err := client.Dial("tcp", "127.0.0.1:1")
	if err == nil {
		connection.Close()
		return errors.New("it was not refused")
	}
	var refused *ssh.OpenChannelError
	if !errors.As(err, &refused) {
		return err
	}
	return equal(refused.Reason.String(), ssh.ConnectionFailed.String())
}

func tryDenial(_ *ssh.Client, it told) error {
	heard.Reset()
	client, err := connect(it, it.DeniedUser)
	if err == nil {
		client.Close()
		return errors.New("it was let in")
	}
	if !strings.Contains(err.Error(), "unable to authenticate") {
		return err
	}
	if !strings.Contains(heard.String(), it.DeniedSays) {
		return fmt.Errorf("it heard %q", heard.String())
	}
	return nil
}
