//! What stands between the program and the sandbox in every other campaign. As its dice fall it answers with a page or an error of its
//! own, whether or not it has passed the request on, gives out another order's answer, cuts, tears and repeats. It signs nothing, so
//! that nothing it says may conclude anything; the sandbox behind it is the judge.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::border::between::stranger;
use crate::border::wire::Request;
use crate::support::dice::Dice;

/// Of a hundred requests, those that do not pass unharmed.
const PERCENT: u64 = 15;

/// What becomes of a request.
#[derive(Clone, Copy)]
enum Fate {
    Passes,
    /// A stranger answers, and the sandbox never hears of it.
    Instead,
    /// A stranger answers when the sandbox has carried it out.
    Afterwards,
    Cut,
    /// In the middle of the sandbox's answer.
    Torn,
    /// Another order's answer.
    Swapped,
    /// The sandbox gets it twice, and its second answer comes back.
    Repeated,
}

const HARMS: [Fate; 6] = [Fate::Instead, Fate::Afterwards, Fate::Cut, Fate::Torn, Fate::Swapped, Fate::Repeated];

/// A process between two others, as far as those can tell; it listens until the tests end.
pub struct Strangers {
    address: String,
    inner: Arc<Inner>,
}

/// What an answer was about, and its bytes; nothing at first.
type Said = (String, Vec<u8>);

struct Inner {
    /// Host and port of the sandbox.
    origin: String,
    dice: Mutex<Dice>,
    /// The last answer to a change, and to a query.
    last: [Mutex<Said>; 2],
    meddled: AtomicU64,
}

impl Strangers {
    /// Before the sandbox at `base_url`.
    pub fn before(base_url: &str, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let origin = base_url.strip_prefix("http://").unwrap().to_owned();
        let dice = Mutex::new(Dice::new(seed ^ 0x5354_5241));
        let inner = Arc::new(Inner { origin, dice, last: Default::default(), meddled: AtomicU64::new(0) });
        let strangers = Self { address, inner: Arc::clone(&inner) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inner = Arc::clone(&inner);
                // Whoever hangs up has been killed.
                thread::spawn(move || drop(inner.meet(&stream)));
            }
        });
        strangers
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests did not pass unharmed.
    pub fn meddled(&self) -> u64 {
        self.inner.meddled.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn meet(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let Some(request) = Request::read(&mut BufReader::new(stream))? else { return Ok(()) };
        let (fate, number) = {
            let mut dice = self.dice.lock().unwrap();
            let fate = if dice.percent(PERCENT) { HARMS[dice.below(HARMS.len() as u64) as usize] } else { Fate::Passes };
            (fate, dice.roll())
        };
        self.meddled.fetch_add(u64::from(!matches!(fate, Fate::Passes)), Ordering::Relaxed);
        let answer = match fate {
            Fate::Passes => self.passed_on(&request)?,
            Fate::Instead => strange(number),
            Fate::Afterwards => self.passed_on(&request).map(|_| strange(number))?,
            Fate::Cut => Vec::new(),
            Fate::Torn => {
                let whole = self.passed_on(&request)?;
                whole[..whole.len().saturating_sub(9)].to_vec()
            }
            Fate::Swapped => self.swapped(&request)?,
            Fate::Repeated => {
                self.passed_on(&request)?;
                self.passed_on(&request)?
            }
        };
        stream.write_all(&answer)?;
        stream.shutdown(Shutdown::Both)
    }

    /// What the sandbox answers, byte for byte as far as it goes.
    fn passed_on(&self, request: &Request) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.origin)?;
        stream.set_nodelay(true)?;
        request.write(&mut stream)?;
        let mut answer = Vec::new();
        // A connection that is reset ends what was said, as it does for the program.
        drop(stream.read_to_end(&mut answer));
        Ok(answer)
    }

    /// Passes it on, and answers with what was said about another order; with nothing where nothing was.
    fn swapped(&self, request: &Request) -> std::io::Result<Vec<u8>> {
        let (about, answer) = (request.about(), self.passed_on(request)?);
        let mut last = self.last[usize::from(request.method == "GET")].lock().unwrap();
        let (other, earlier) = std::mem::replace(&mut *last, (about.clone(), answer));
        Ok(if other == about { Vec::new() } else { earlier })
    }
}

fn strange(number: u64) -> Vec<u8> {
    let (answer, mut bytes) = (stranger(number), Vec::new());
    answer.write(&mut bytes, answer.body.len()).unwrap();
    bytes
}
