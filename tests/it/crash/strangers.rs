//! Who answers in DOKU's place now and then: with a page or an error of their own, whether or not the request went on to DOKU, or with
//! what DOKU said about another order.

use tagih::doku::wire;
use tagih::sandbox::http::HttpAnswer;

use crate::border::between::stranger;
use crate::support::dice::Dice;

/// How many requests of a campaign they meddle with at most, so that every campaign ends.
const REQUESTS_MAX: u64 = 40;

/// What they do with a request.
#[derive(Clone, Debug)]
pub enum Harm {
    None,
    /// DOKU never hears of it.
    Instead(wire::Answer),
    /// DOKU has carried it out.
    Afterwards(wire::Answer),
    /// The answer is another order's.
    Swapped,
}

pub struct Strangers {
    dice: Dice,
    /// Of a hundred requests, those they meddle with.
    percent: u64,
    left: u64,
    /// The last answer of DOKU's that passed: what was asked, and what was said.
    last: Option<(String, HttpAnswer)>,
}

impl Strangers {
    pub fn new(seed: u64, percent: u64) -> Self {
        Self { dice: Dice::new(seed ^ 0x5354_5241), percent, left: REQUESTS_MAX, last: None }
    }

    pub fn harm(&mut self) -> Harm {
        if self.left == 0 || !self.dice.percent(self.percent) {
            return Harm::None;
        }
        self.left -= 1;
        let answer = stranger(self.dice.roll());
        let answer = wire::Answer { status: answer.status, body: answer.body.into(), ..wire::Answer::default() };
        match self.dice.below(3) {
            0 => Harm::Instead(answer),
            1 => Harm::Afterwards(answer),
            _ => Harm::Swapped,
        }
    }

    /// Keeps what was said about `order`, and gives what was said about another before; the same where nothing was.
    pub fn swap(&mut self, order: &str, answer: HttpAnswer) -> HttpAnswer {
        match self.last.replace((order.to_owned(), answer.clone())) {
            Some((other, earlier)) if other != order => earlier,
            _ => answer,
        }
    }

    /// How many requests they have meddled with.
    pub fn meddled(&self) -> u64 {
        REQUESTS_MAX - self.left
    }
}
