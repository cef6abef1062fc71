//! What stands between the program and DOKU: on cue it answers itself, cuts, delays, swaps and repeats; else it passes on.

use std::io::BufReader;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::json;

use super::doku::{Doku, refusal};
use super::wire::{Answer, Request};

/// What becomes of a request.
pub enum Fate {
    Answered(Answer),
    /// The connection ends without a byte.
    Cut,
    /// The answer ends in the middle of its body.
    Torn(Answer),
    /// The same, after a while.
    Later(Duration, Box<Fate>),
}

impl From<Answer> for Fate {
    fn from(answer: Answer) -> Self {
        Self::Answered(answer)
    }
}

/// Decides a request; it may have DOKU carry it out, once, twice or not at all.
pub type Act = Arc<dyn Fn(&Request, &mut Doku) -> Fate + Send + Sync>;

/// Which requests an act is for, and for how many of them.
struct Cue {
    /// `POST`, `PATCH`, `GET`; empty: any but `GET`.
    method: &'static str,
    /// The order number; empty: any.
    about: String,
    left: usize,
    act: Act,
}

impl Cue {
    fn fits(&self, method: &str, about: &str) -> bool {
        let is_method = if self.method.is_empty() { method != "GET" } else { self.method == method };
        self.left > 0 && is_method && (self.about.is_empty() || self.about == about)
    }
}

/// A request as the program sent it, whether or not it reached DOKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub method: String,
    pub invoice: String,
    pub request_id: String,
    pub body: Vec<u8>,
}

#[derive(Default)]
struct Script {
    cues: Vec<Cue>,
    sent: Vec<Sent>,
}

/// The intermediary and the DOKU behind it, listening on loopback until the test ends.
pub struct Between {
    address: String,
    doku: Arc<Mutex<Doku>>,
    script: Arc<Mutex<Script>>,
}

/// As often as it happens.
pub const ALWAYS: usize = usize::MAX;

impl Between {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (doku, script) = (Arc::<Mutex<Doku>>::default(), Arc::<Mutex<Script>>::default());
        let between = Self { address, doku: Arc::clone(&doku), script: Arc::clone(&script) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (doku, script) = (Arc::clone(&doku), Arc::clone(&script));
                std::thread::spawn(move || drop(serve(&stream, &doku, &script)));
            }
        });
        between
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// DOKU's books.
    pub fn doku(&self) -> MutexGuard<'_, Doku> {
        self.doku.lock().unwrap()
    }

    /// From now on `act` decides `times` of the requests `method` about `about`. Later cues are asked after earlier ones.
    pub fn cue(&self, method: &'static str, about: &str, times: usize, act: impl Fn(&Request, &mut Doku) -> Fate + Send + Sync + 'static) {
        let cue = Cue { method, about: about.to_owned(), left: times, act: Arc::new(act) };
        self.script.lock().unwrap().cues.push(cue);
    }

    /// Nobody interferes any more.
    pub fn calm(&self) {
        self.script.lock().unwrap().cues.clear();
    }

    /// How many requests the program has sent.
    pub fn mark(&self) -> usize {
        self.script.lock().unwrap().sent.len()
    }

    /// What it has sent since a mark.
    pub fn since(&self, mark: usize) -> Vec<Sent> {
        self.script.lock().unwrap().sent[mark..].to_vec()
    }

    /// POST and PATCH about `invoice` since a mark.
    pub fn changes(&self, mark: usize, invoice: &str) -> Vec<Sent> {
        let script = self.script.lock().unwrap();
        script.sent[mark..].iter().filter(|sent| sent.method != "GET" && sent.invoice == invoice).cloned().collect()
    }

    /// Status queries about `invoice` since a mark.
    pub fn queries(&self, mark: usize, invoice: &str) -> usize {
        self.script.lock().unwrap().sent[mark..].iter().filter(|sent| sent.method == "GET" && sent.invoice == invoice).count()
    }
}

fn serve(stream: &TcpStream, doku: &Mutex<Doku>, script: &Mutex<Script>) -> std::io::Result<()> {
    let Some(request) = Request::read(&mut BufReader::new(stream))? else { return Ok(()) };
    let act = {
        let mut script = script.lock().unwrap();
        let (method, request_id, invoice) = (request.method.clone(), request.request_id().to_owned(), request.about());
        let act = chosen(&mut script.cues, &method, &invoice);
        script.sent.push(Sent { method, invoice, request_id, body: request.body.clone() });
        act
    };
    let fate = {
        let mut doku = doku.lock().unwrap();
        match act {
            Some(act) => act(&request, &mut doku),
            None => doku.handle(&request).into(),
        }
    };
    meet(stream, fate)
}

/// The first cue that fits and has something left to do.
fn chosen(cues: &mut Vec<Cue>, method: &str, about: &str) -> Option<Act> {
    for cue in cues {
        if !cue.fits(method, about) {
            continue;
        }
        cue.left -= 1;
        return Some(Arc::clone(&cue.act));
    }
    None
}

fn meet(mut stream: &TcpStream, fate: Fate) -> std::io::Result<()> {
    match fate {
        Fate::Answered(answer) => answer.write(&mut stream, answer.body.len()),
        Fate::Cut => stream.shutdown(Shutdown::Both),
        Fate::Torn(answer) => {
            answer.write(&mut stream, answer.body.len() + 40)?;
            stream.shutdown(Shutdown::Both)
        }
        Fate::Later(pause, fate) => {
            std::thread::sleep(pause);
            meet(stream, *fate)
        }
    }
}

/// DOKU carries it out, and nobody hears of it.
pub fn cut_after(request: &Request, doku: &mut Doku) -> Fate {
    doku.handle(request);
    Fate::Cut
}

/// It never gets to DOKU, which the program cannot know.
pub fn cut_before(_: &Request, _: &mut Doku) -> Fate {
    Fate::Cut
}

/// How many different [`page`]s there are.
pub const PAGES: u64 = 9;

/// What gateways, firewalls and portals say; nothing of it is DOKU's word.
pub fn page(number: u64) -> Answer {
    match number {
        0 => Answer::new(404, "text/plain", "default backend - 404"),
        1 => Answer::new(403, "text/html", "<html>403 Forbidden: request blocked</html>"),
        2 => Answer::new(413, "text/html", "<html>413 Request Entity Too Large</html>"),
        3 => Answer::new(502, "text/html", "<html>502 Bad Gateway</html>"),
        4 => Answer::new(400, "text/plain", "bad request: unknown client id, check the signature"),
        5 => Answer::json(404, &json!({"fault": {"faultstring": "no route"}})),
        6 => Answer::new(200, "text/html", "<html>Please sign in</html>"),
        7 => Answer::new(302, "text/html", "").with("Location", "/login"),
        _ => Answer::new(200, "", ""),
    }
}

/// Errors in DOKU's own shape, which nobody has signed. A 401 and a 429 are not among them: those count whoever says so.
const ERRORS: [(u16, &str); 11] = [
    (400, "order.amount is not valid"),
    (402, "payment required"),
    (403, "access denied"),
    (404, "order is not found"),
    (405, "method not allowed"),
    (409, "invoice number has been used"),
    (410, "gone"),
    (413, "body too large"),
    (422, "customer.name is not valid"),
    (451, "unavailable for legal reasons"),
    (500, "internal error"),
];

/// A page, or an error: what nothing may follow from under `doku.unsigned_errors = "refuse"`.
pub fn stranger(number: u64) -> Answer {
    let errors = ERRORS.len() as u64;
    let number = number % (PAGES + errors);
    match number.checked_sub(errors) {
        Some(number) => page(number),
        None => refusal(ERRORS[number as usize].0, ERRORS[number as usize].1),
    }
}

/// A gateway that is down, without a word of DOKU.
pub fn unavailable(_: &Request, _: &mut Doku) -> Fate {
    Answer::new(503, "text/html", "<html><h1>503 Service Temporarily Unavailable</h1></html>").into()
}
