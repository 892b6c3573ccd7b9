//! russh with russh-sftp, as their users write them. See test/support/ssh-clients.ts for what a client
//! program is told and says.

use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::client::{self, ChannelOpenHandle, Handle, KeyboardInteractiveAuthResponse, Msg, Session};
use russh::keys::{PrivateKeyWithHashAlg, load_secret_key};
use russh::{Channel, ChannelMsg, ChannelOpenFailure, Disconnect};
use russh_sftp::client::SftpSession;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const WAIT: Duration = Duration::from_secs(8);
/// What the rekey carries is more than this.
const REKEY_BYTES: usize = 1 << 20;

#[derive(Clone)]
struct Told(Arc<Value>);

impl Told {
    fn text(&self, name: &str) -> Option<String> {
        self.0[name].as_str().map(str::to_owned)
    }
    fn need(&self, name: &str) -> String {
        self.text(name).expect("a text")
    }
    fn port(&self, name: &str) -> u16 {
        self.0[name].as_u64().expect("a port") as u16
    }
}

/// What the server says and asks for by itself.
#[derive(Clone, Default)]
struct Server {
    heard: Arc<Mutex<String>>,
}

impl client::Handler for Server {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &russh::keys::PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Self::Error> {
        self.heard.lock().expect("a lock").push_str(banner);
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        tokio::spawn(greet(channel));
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        tokio::spawn(greet(channel));
        Ok(())
    }
}

async fn greet(channel: Channel<Msg>) -> Outcome {
    let mut stream = channel.into_stream();
    stream.write_all(b"from here").await?;
    stream.shutdown().await?;
    Ok(())
}

/// Connects and signs in. None: it was refused.
async fn enter(told: &Told, user: &str, server: &Server) -> Outcome<Option<Handle<Server>>> {
    let config = client::Config {
        limits: russh::Limits::new(REKEY_BYTES, REKEY_BYTES, Duration::from_secs(3600)),
        keepalive_interval: Some(Duration::from_millis(200)),
        ..Default::default()
    };
    let mut handle = client::connect(Arc::new(config), ("127.0.0.1", told.port("port")), server.clone()).await?;
    let is_in = match told.text("key") {
        Some(path) => {
            let key = PrivateKeyWithHashAlg::new(Arc::new(load_secret_key(path, None)?), None);
            handle.authenticate_publickey(user, key).await?.success()
        }
        None => by_asking(&mut handle, user, server).await?,
    };
    Ok(is_in.then_some(handle))
}

async fn by_asking(handle: &mut Handle<Server>, user: &str, server: &Server) -> Outcome<bool> {
    let mut state = handle.authenticate_keyboard_interactive_start(user, None).await?;
    loop {
        let answers = match state {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { instructions, prompts, .. } => {
                server.heard.lock().expect("a lock").push_str(&instructions);
                match prompts.first() {
                    None => Vec::new(),
                    Some(first) => vec![ask(&format!("{instructions} {}", first.prompt)).await?],
                }
            }
        };
        state = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
}

async fn ask(text: &str) -> Outcome<String> {
    println!("ASK {}", Value::from(text));
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await?;
    Ok(line.trim().to_owned())
}

fn equal(found: &str, wanted: &str) -> Outcome {
    if found == wanted { Ok(()) } else { Err(format!("{found:?}, not {wanted:?}").into()) }
}

/// All that a channel says on its standard output, and the status.
async fn read_all(mut channel: Channel<Msg>) -> (Vec<u8>, Option<u32>) {
    let (mut output, mut status) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => output.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            _ => {}
        }
    }
    (output, status)
}

fn trimmed(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim().to_owned()
}

async fn try_exec(handle: &Handle<Server>, _: &Told) -> Outcome {
    let channel = handle.channel_open_session().await?;
    channel.exec(true, "echo out; echo err >&2; exit 7").await?;
    let (output, status) = read_all(channel).await;
    equal(&format!("{} {status:?}", trimmed(&output)), "out Some(7)")
}

async fn try_stdin(handle: &Handle<Server>, _: &Told) -> Outcome {
    let channel = handle.channel_open_session().await?;
    channel.exec(true, "wc -c").await?;
    channel.data(&vec![b'x'; 300_000][..]).await?;
    channel.eof().await?;
    equal(&trimmed(&read_all(channel).await.0), "300000")
}

async fn try_pty(handle: &Handle<Server>, _: &Told) -> Outcome {
    let channel = handle.channel_open_session().await?;
    channel.request_pty(true, "xterm", 101, 31, 0, 0, &[]).await?;
    channel.exec(true, "tty >/dev/null && stty size").await?;
    equal(&trimmed(&read_all(channel).await.0), "31 101")
}

async fn try_sftp(handle: &Handle<Server>, told: &Told) -> Outcome {
    let channel = handle.channel_open_session().await?;
    channel.request_subsystem(true, "sftp").await?;
    let files = SftpSession::new(channel.into_stream()).await?;
    let at = |name: &str| format!("{}/{name}", told.need("dir"));
    let mut file = files.create(at("a")).await?;
    file.write_all(&[0; 100_000]).await?;
    file.shutdown().await?;
    files.rename(at("a"), at("b")).await?;
    // Its words are in the order of the draft, which OpenSSH's server reads the other way round.
    files.symlink("b", at("link")).await?;
    equal(&files.read_link(at("link")).await?, "b")?;
    equal(&files.metadata(at("link")).await?.size.unwrap_or(0).to_string(), "100000")?;
    files.remove_file(at("link")).await?;
    files.remove_file(at("b")).await?;
    Ok(())
}

async fn converse(channel: Channel<Msg>) -> Outcome {
    let mut stream = channel.into_stream();
    stream.write_all(b"hello ").await?;
    stream.shutdown().await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    equal(&text, "hello bye")
}

async fn try_local(handle: &Handle<Server>, told: &Told) -> Outcome {
    let port = told.port("echoPort").into();
    converse(handle.channel_open_direct_tcpip("127.0.0.1", port, "127.0.0.1", 1).await?).await
}

async fn try_unix_local(handle: &Handle<Server>, told: &Told) -> Outcome {
    converse(handle.channel_open_direct_streamlocal(told.need("echoPath")).await?).await
}

async fn is_greeted(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Outcome {
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    equal(&text, "from here")
}

async fn try_remote(handle: &Handle<Server>, _: &Told) -> Outcome {
    let port = handle.tcpip_forward("0.0.0.0", 0).await?;
    is_greeted(TcpStream::connect(("127.0.0.1", port as u16)).await?).await
}

async fn try_unix_remote(handle: &Handle<Server>, told: &Told) -> Outcome {
    let path = format!("{}/remote.sock", told.need("dir"));
    handle.streamlocal_forward(path.as_str()).await?;
    is_greeted(UnixStream::connect(path).await?).await
}

async fn try_keepalive(handle: &Handle<Server>, told: &Told) -> Outcome {
    handle.send_keepalive(true).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    try_exec(handle, told).await
}

async fn try_rekey(handle: &Handle<Server>, _: &Told) -> Outcome {
    handle.rekey_soon().await?;
    let channel = handle.channel_open_session().await?;
    channel.exec(true, "head -c 6000000 /dev/zero").await?;
    equal(&read_all(channel).await.0.len().to_string(), "6000000")
}

/// Here from there, byte for byte, while keys change.
async fn try_transfer(handle: &Handle<Server>, told: &Told) -> Outcome {
    let file = told.need("file");
    let channel = handle.channel_open_session().await?;
    channel.exec(true, format!("cat {file}")).await?;
    let is_same = read_all(channel).await.0 == tokio::fs::read(file).await?;
    if is_same { Ok(()) } else { Err("other bytes came".into()) }
}

async fn try_refusal(handle: &Handle<Server>, _: &Told) -> Outcome {
    match handle.channel_open_direct_tcpip("127.0.0.1", 1, "127.0.0.1", 1).await {
        Ok(_) => Err("it was not refused".into()),
        Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed)) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

async fn try_denial(_: &Handle<Server>, told: &Told) -> Outcome {
    let server = Server::default();
    if enter(told, &told.need("deniedUser"), &server).await?.is_some() {
        return Err("it was let in".into());
    }
    let heard = server.heard.lock().expect("a lock").clone();
    let says = told.text("deniedSays").unwrap_or_default();
    if heard.contains(&says) { Ok(()) } else { Err(format!("it heard {heard:?}").into()) }
}

async fn check(name: &str, act: impl Future<Output = Outcome>) {
    match tokio::time::timeout(WAIT, act).await {
        Ok(Ok(())) => println!("{name}: ok"),
        Ok(Err(cause)) => println!("{name}: {cause}"),
        Err(_) => println!("{name}: no end"),
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument == "--version" {
        println!("{}", include_str!("../Cargo.toml").split("russh = { version = \"=").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or(""));
        return Ok(());
    }
    let told = Told(Arc::new(serde_json::from_str(&argument)?));
    let handle = enter(&told, &told.need("user"), &Server::default()).await?.ok_or("it was refused")?;
    let transfers = told.0["transfers"].as_u64().unwrap_or(0);
    for _ in 0..transfers {
        check("transfer", try_transfer(&handle, &told)).await;
    }
    if transfers > 0 {
        return Ok(());
    }
    check("exec", try_exec(&handle, &told)).await;
    check("stdin", try_stdin(&handle, &told)).await;
    check("pty", try_pty(&handle, &told)).await;
    check("sftp", try_sftp(&handle, &told)).await;
    check("-L", try_local(&handle, &told)).await;
    check("-R", try_remote(&handle, &told)).await;
    check("unix -L", try_unix_local(&handle, &told)).await;
    check("unix -R", try_unix_remote(&handle, &told)).await;
    check("keepalive", try_keepalive(&handle, &told)).await;
    check("rekey", try_rekey(&handle, &told)).await;
    check("refusal", try_refusal(&handle, &told)).await;
    check("denial", try_denial(&handle, &told)).await;
    handle.disconnect(Disconnect::ByApplication, "", "").await?;
    Ok(())
}
