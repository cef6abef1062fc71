//! What lies between the merchant and DOKU, in both directions: requests that are lost, doubled, late or answered by strangers, whether or not
//! whoever sent them still lives; customers who pay, and notifications that find no server or are not heard to have arrived.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tagih::doku::wire::{Answer, Delivery, HttpMethod, WireRequest};
use tagih::gateway::Gateway;
use tagih::sandbox::http::{Fate, HttpAnswer, Request};
use tagih::sandbox::notification::{NotificationMessage, SCHEDULE_SECONDS};
use tagih::sandbox::payment::{PaymentScript, Quirk};

use super::judge;
use super::process::Life;
use super::timeline::Happening;
use super::world::{Paid, World};
use crate::border;
use crate::border::between::{PAGES, page, stranger};
use crate::support::doku::about;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The attempt of a message that is sent once: a forger has no schedule.
const NEVER_AGAIN: usize = SCHEDULE_SECONDS.len();

/// Something that reaches somebody.
pub enum Event {
    /// A request reaches DOKU, or whoever stands before it.
    Arrives(Arrival),
    /// DOKU does what a fault has put off.
    ArrivesLate(Arrival),
    /// A client hears what came of its request.
    Heard(Arc<Reply>, Delivery),
    /// Some customer pays.
    Pays,
    /// DOKU tells of a payment, for the so-many-eth time.
    Notifies(NotificationMessage, usize),
}

pub struct Arrival {
    wire: WireRequest,
    request: Request,
    /// Nobody waits for the answer of a repetition.
    reply: Option<Arc<Reply>>,
}

/// Where an answer is waited for.
#[derive(Default)]
pub struct Reply(Mutex<(Option<Delivery>, Option<Waker>)>);

impl Reply {
    fn give(&self, delivery: Delivery) {
        let mut reply = self.0.lock().unwrap();
        reply.0.get_or_insert(delivery);
        if let Some(waker) = reply.1.take() {
            waker.wake();
        }
    }
}

/// One process's way to DOKU.
pub struct Link<'a> {
    pub world: &'a World,
    pub life: Arc<Life>,
}

impl Gateway for Link<'_> {
    async fn send(&self, wire: &WireRequest) -> Delivery {
        let world = self.world;
        self.life.step(world).await;
        world.count(1);
        let (is_refused, way) = world.leaves();
        world.left_us.lock().unwrap().push(world.time.now_us());
        if is_refused {
            world.time.wait(way).await;
            return Delivery::NotSent("connection refused".into());
        }
        let reply = Arc::new(Reply::default());
        world.post(wire, Some(&reply), way);
        let delivery = world.answer_to(&reply).await;
        self.life.step(world).await;
        delivery
    }
}

impl World {
    fn leaves(&self) -> (bool, Duration) {
        let weather = self.weather();
        let is_refused = self.dice().percent(weather.refused);
        (is_refused, self.way())
    }

    /// How long something takes from one side to the other.
    fn way(&self) -> Duration {
        let weather = self.weather();
        let mut dice = self.dice();
        let ms = if dice.percent(weather.slow) { 10_000 + dice.below(40_000) } else { 5 + dice.below(200) };
        Duration::from_millis(ms)
    }

    fn post(&self, wire: &WireRequest, reply: Option<&Arc<Reply>>, way: Duration) {
        let arrival = Arrival { wire: wire.clone(), request: self.signer.request(wire, self.machine_time()), reply: reply.cloned() };
        self.time.post(way, Happening::World(Box::new(Event::Arrives(arrival))));
    }

    async fn answer_to(&self, reply: &Reply) -> Delivery {
        let mut patience = std::pin::pin!(self.time.wait(PATIENCE));
        poll_fn(|context| {
            let mut waited = reply.0.lock().unwrap();
            if let Some(delivery) = waited.0.take() {
                return Poll::Ready(delivery);
            }
            waited.1 = Some(context.waker().clone());
            drop(waited);
            patience.as_mut().poll(context).map(|()| Delivery::Unknown("no answer in time".into()))
        })
        .await
    }

    /// An event reaches whom it concerns.
    pub fn take(&self, event: Event) {
        match event {
            Event::Arrives(arrival) => self.arrives(arrival),
            Event::ArrivesLate(arrival) => {
                let now = self.time.now();
                let reply = self.model().handle_late(&arrival.request, now);
                self.called();
                self.answers(&arrival, self.finding(&arrival.wire, reply.answer));
            }
            Event::Heard(reply, delivery) => reply.give(delivery),
            Event::Pays => self.pays(),
            Event::Notifies(message, attempt) => self.notifies(&message, attempt),
        }
    }

    fn arrives(&self, arrival: Arrival) {
        let weather = self.weather();
        let (is_lost, is_strange, is_instead, is_swapped) = {
            let mut dice = self.dice();
            (dice.percent(weather.lost), dice.percent(weather.strangers), dice.percent(50), dice.percent(30))
        };
        if is_lost && is_instead {
            return;
        }
        if is_strange && is_instead && !is_swapped {
            return self.answers(&arrival, self.strangers_word(&arrival.wire));
        }
        let now = self.time.now();
        let reply = self.model().handle(&arrival.request, now);
        self.called();
        // Whoever stands between sends again what it was not answered to its liking; not what DOKU has turned away for now, or a code could
        // be made that DOKU itself has said it did not make.
        if arrival.reply.is_some() && reply.answer.status != 429 && self.dice().percent(weather.doubled) {
            let way = self.way();
            self.post(&arrival.wire, None, way);
        }
        if is_lost {
            return;
        }
        let delivery = match reply.fate {
            Fate::Deliver if is_strange && !is_swapped => self.strangers_word(&arrival.wire),
            Fate::Deliver => {
                let answer = if is_strange { self.swapped(&arrival.wire, reply.answer) } else { reply.answer };
                self.finding(&arrival.wire, answer)
            }
            Fate::DelayThenDeliver(ms) => {
                let delivery = self.finding(&arrival.wire, reply.answer);
                return self.heard(&arrival, delivery, Duration::from_millis(ms));
            }
            Fate::DelayThenProcess(ms) => {
                return self.time.post(Duration::from_millis(ms), Happening::World(Box::new(Event::ArrivesLate(arrival))));
            }
            Fate::CutBeforeProcessing | Fate::CutAfterProcessing | Fate::Truncated(_) => Delivery::Unknown("connection cut".into()),
        };
        self.answers(&arrival, delivery);
    }

    /// What somebody else says to `wire`: it is too much, what DOKU said of that order before, as a cache keeps it, or nothing that counts.
    fn strangers_word(&self, wire: &WireRequest) -> Delivery {
        let roll = self.dice().roll();
        let cached = self.said.lock().unwrap().get(&about(wire)).cloned();
        let answer = match (roll % 8, self.is_trusting, cached) {
            (0, ..) => border::wire::Answer::new(429, "text/html", "<html>429 Too Many Requests</html>"),
            (1..4, false, Some(body)) => return Delivery::Answered(Answer { status: 200, body, ..Answer::default() }),
            // A firewall that shows what it did not let pass.
            (7, ..) => {
                let shown = String::from_utf8_lossy(&wire.body);
                border::wire::Answer::new(403, "text/plain", format!("blocked by policy: {shown}"))
            }
            (_, true, _) => page(roll / 8 % PAGES),
            (_, false, _) => stranger(roll / 8),
        };
        Delivery::Answered(Answer { status: answer.status, body: answer.body.into(), ..Answer::default() })
    }

    /// Keeps what was said about one order, and gives what was said about another before.
    fn swapped(&self, wire: &WireRequest, answer: HttpAnswer) -> HttpAnswer {
        let about = about(wire);
        match self.last_answer.lock().unwrap().replace((about.clone(), answer.clone())) {
            // Whoever takes unsigned errors for DOKU's word is lost with another's.
            Some((other, earlier)) if other != about && !(self.is_trusting && earlier.status >= 400) => earlier,
            _ => answer,
        }
    }

    fn answers(&self, arrival: &Arrival, delivery: Delivery) {
        let way = self.way();
        self.heard(arrival, delivery, way);
    }

    fn heard(&self, arrival: &Arrival, delivery: Delivery, way: Duration) {
        if let Some(reply) = &arrival.reply {
            self.time.post(way, Happening::World(Box::new(Event::Heard(Arc::clone(reply), delivery))));
        }
    }

    /// An answer as the client's gateway gives it on.
    fn finding(&self, wire: &WireRequest, answer: HttpAnswer) -> Delivery {
        if answer.status == 200 && wire.method != HttpMethod::Get {
            self.said.lock().unwrap().insert(about(wire), answer.body.clone());
        }
        Delivery::Answered(self.signer.heard(wire, answer, Some(self.machine_time())))
    }

    /// A customer finds a code that a counter takes, and pays what the counter asks for. Now and then a counter takes what it should not.
    fn pays(&self) {
        let now = self.time.now();
        let (roll, is_anyway, is_forged) = {
            let mut dice = self.dice();
            (dice.roll(), dice.percent(8), dice.percent(8))
        };
        let mut model = self.model();
        let codes: Vec<String> = model
            .orders()
            .iter()
            .filter(|order| order.is_payable(now) || is_anyway)
            .map(|order| order.payment_code.as_str().to_owned())
            .collect();
        let Some(code) = (roll as usize).checked_rem(codes.len()).and_then(|at| codes.get(at)) else { return };
        if is_forged {
            // Nobody pays; somebody says so.
            let script = PaymentScript::at(now).with(Quirk::Anyway).with(Quirk::Forged);
            if let Ok(message) = model.pay(code, &script) {
                drop(model);
                self.notify(message, NEVER_AGAIN, Duration::from_secs(2));
            }
            return;
        }
        let script = PaymentScript::at(now);
        let script = if is_anyway { script.with(Quirk::Anyway) } else { script };
        let Ok(message) = model.pay(code, &script) else { return };
        let order = model.order_of_code(code).unwrap();
        let taken = order.payments.last().unwrap().clone();
        self.record.lock().unwrap().changes.push(judge::change(None, order));
        drop(model);
        self.count(1);
        let paid = Paid { payment_code: code.clone(), amount: taken.amount, at: taken.paid_at };
        self.paid.lock().unwrap().insert(taken.transaction_id, (paid, false));
        let weather = self.weather();
        let (is_untold, is_doubled) = {
            let mut dice = self.dice();
            (dice.percent(weather.untold), dice.percent(weather.doubled))
        };
        if is_untold {
            return;
        }
        if is_doubled {
            self.notify(message.clone(), 0, Duration::from_secs(9));
        }
        self.notify(message, 0, Duration::from_secs(3));
    }

    fn notify(&self, message: NotificationMessage, attempt: usize, after: Duration) {
        self.time.post(after, Happening::World(Box::new(Event::Notifies(message, attempt))));
    }

    /// The server, if it is there, keeps what it is told and says so; DOKU, if it does not hear that, tells it again.
    fn notifies(&self, message: &NotificationMessage, attempt: usize) {
        self.count(1);
        let weather = self.weather();
        let (is_down, is_unheard) = {
            let mut dice = self.dice();
            (dice.percent(weather.server_down), dice.percent(weather.unheard))
        };
        if !is_down {
            self.log.lock().unwrap().push(message.log_line(self.machine_time()));
            if let Some((_, is_told)) = self.paid.lock().unwrap().get_mut(&message.transaction_id) {
                *is_told = true;
            }
        }
        if is_down || is_unheard {
            let (Some(this), Some(next)) = (SCHEDULE_SECONDS.get(attempt), SCHEDULE_SECONDS.get(attempt + 1)) else { return };
            let after = Duration::from_secs((next - this) as u64);
            let again = self.model().redeliver(message, self.time.now() + after);
            self.notify(again, attempt + 1, after);
        }
    }
}
