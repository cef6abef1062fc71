//! The network between one host and a server: it passes everything on, stands still, or ends what goes through it, on cue.
//!
//! Also read by the library's tests, so it uses nothing of this crate.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// They wait; connections are accepted, and nothing comes of them.
    Stalled,
    /// There is none: connections are reset.
    Cut,
}

#[derive(Clone, Copy, Debug)]
struct State {
    way: Way,
    /// How often whatever was connected was reset.
    resets: u64,
    /// What passes to the server once, and then its answer is lost.
    fatal: Option<&'static [u8]>,
}

/// A way to one server, open until it is told otherwise, and gone with its value.
#[derive(Debug)]
pub struct Network {
    /// Where the server is for who goes this way.
    pub port: u16,
    state: Arc<watch::Sender<State>>,
    runtime: Option<Runtime>,
}

impl Network {
    /// To the server at `port` of this machine.
    pub fn to(port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let here = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State { way: Way::Open, resets: 0, fatal: None }));
        let told = Arc::clone(&state);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, port, Arc::clone(&told)));
            }
        });
        Self { port: here, state, runtime: Some(runtime) }
    }

    /// Nothing passes any more, and nobody is told.
    pub fn stall(&self) {
        self.state.send_modify(|state| state.way = Way::Stalled);
    }

    /// Everything that is connected is reset, and so is whoever tries.
    pub fn cut(&self) {
        self.state.send_modify(|state| (state.way, state.resets) = (Way::Cut, state.resets + 1));
    }

    /// All is well again; what was on its way goes on.
    pub fn heal(&self) {
        self.state.send_modify(|state| state.way = Way::Open);
    }

    /// The next time that `word` is said it still gets there; then all connections are reset, so that its answer is lost.
    pub fn cut_after(&self, word: &'static [u8]) {
        self.state.send_modify(|state| state.fatal = Some(word));
    }

    /// Whether that is still to come.
    pub fn is_armed(&self) -> bool {
        self.state.borrow().fatal.is_some()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

async fn carry(mut client: TcpStream, port: u16, state: Arc<watch::Sender<State>>) {
    let (mut heard, mut server) = (state.subscribe(), None);
    let resets = heard.borrow().resets;
    let is_over = tokio::select! {
        is_over = passed(&mut client, &mut server, port, &state) => is_over,
        _ = heard.wait_for(|state| state.way == Way::Cut || state.resets != resets) => false,
    };
    if !is_over {
        for stream in [Some(client), server].into_iter().flatten() {
            stream.set_zero_linger().unwrap();
        }
    }
}

/// Gives whether both have said all they wanted to.
async fn passed(client: &mut TcpStream, server: &mut Option<TcpStream>, port: u16, state: &watch::Sender<State>) -> bool {
    open(state).await;
    let Ok(there) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let there = server.insert(there);
    there.set_nodelay(true).and(client.set_nodelay(true)).unwrap();
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), there.split());
    tokio::join!(pump(from_client, to_server, state, true), pump(from_server, to_client, state, false));
    true
}

async fn open(state: &watch::Sender<State>) {
    state.subscribe().wait_for(|state| state.way == Way::Open).await.unwrap();
}

/// Carries bytes until they end, and says so.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, state: &watch::Sender<State>, is_to_server: bool) {
    let mut bytes = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        open(state).await;
        let is_fatal =
            |state: &State| is_to_server && state.fatal.is_some_and(|word| bytes[..count].windows(word.len()).any(|had| had == word));
        let ends = state.send_if_modified(|state| {
            let ends = is_fatal(state);
            if ends {
                (state.way, state.fatal) = (Way::Stalled, None);
            }
            ends
        });
        if to.write_all(&bytes[..count]).await.is_err() {
            break;
        }
        if ends {
            // The server has done it by then.
            tokio::time::sleep(Duration::from_millis(300)).await;
            state.send_modify(|state| (state.way, state.resets) = (Way::Open, state.resets + 1));
        }
    }
    open(state).await;
    drop(to.shutdown().await);
}
