//! A DOKU by script: it keeps its own record of what it carried out, and that record judges the program.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp, tz};
use serde_json::{Value, json};

use super::wire::{Answer, Request};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Live,
    Deleted,
}

/// An order in DOKU's books.
#[derive(Clone, Debug)]
pub struct Order {
    pub invoice: String,
    pub code: String,
    pub amount: u64,
    pub state: State,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// The Request-Id that made it.
    pub made_by: String,
}

impl Order {
    pub fn is_payable(&self, now: Timestamp) -> bool {
        self.state == State::Live && self.expires_at > now
    }
}

/// A request that reached DOKU, status queries included.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub request_id: String,
    pub body: Vec<u8>,
}

/// DOKU's books. Everything it answers here is its own word, signed.
#[derive(Debug, Default)]
pub struct Doku {
    /// By order number.
    pub orders: BTreeMap<String, Order>,
    /// Orders that a second order of the same number has taken the place of: DOKU does not say that it refuses those.
    pub doubles: Vec<Order>,
    /// Whether it takes a number twice, so that nothing but the program prevents a second code.
    pub takes_twice: bool,
    pub calls: Vec<Call>,
    /// What it answered under each Request-Id, with the body it answered to.
    stored: HashMap<String, (Vec<u8>, Answer)>,
    next_code: u64,
    /// How far its clock is ahead of ours.
    pub ahead: SignedDuration,
}

impl Doku {
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now().checked_add(self.ahead).unwrap();
        Timestamp::from_second(now.as_second()).unwrap()
    }

    /// Carries a request out, or says why not.
    pub fn handle(&mut self, request: &Request) -> Answer {
        let decided = self.decided(request);
        let answer = self.sign(decided, request);
        self.calls.push(Call { method: request.method.clone(), request_id: request.request_id().to_owned(), body: request.body.clone() });
        answer
    }

    pub fn sign(&self, answer: Answer, request: &Request) -> Answer {
        answer.signed_at(request, &self.now().to_string())
    }

    fn decided(&mut self, request: &Request) -> Answer {
        if !request.is_signed() {
            return refusal(401, "Invalid Header Signature");
        }
        if request.method == "GET" {
            return self.status_of(&request.about());
        }
        if let Some((body, stored)) = self.stored.get(request.request_id()) {
            let same = *body == request.body;
            return if same {
                Answer { status: 409, ..stored.clone() }
            } else {
                refusal(409, "request id was used for different request data")
            };
        }
        let done = if request.method == "POST" { self.create(request) } else { self.change(request) };
        done.map_or_else(
            |refused| refused,
            |body| {
                let answer = Answer::json(200, &body);
                self.stored.insert(request.request_id().to_owned(), (request.body.clone(), answer.clone()));
                answer
            },
        )
    }

    fn create(&mut self, request: &Request) -> Result<Value, Answer> {
        let (body, invoice, now) = (request.json(), request.about(), self.now());
        if self.orders.contains_key(&invoice) && !self.takes_twice {
            return Err(refusal(409, "invoice number has been used"));
        }
        let amount = body["order"]["amount"].as_u64().ok_or_else(|| refusal(400, "order.amount is not valid"))?;
        let minutes = body["online_to_offline_info"]["expired_time"].as_i64().unwrap_or(60);
        let code = if let Some(code) = body["online_to_offline_info"]["payment_code"].as_str() {
            if self.orders.values().any(|order| order.code == code && order.is_payable(now)) {
                return Err(refusal(400, "payment code is in use"));
            }
            code.to_owned()
        } else {
            self.next_code += 1;
            format!("6059{:012}", self.next_code)
        };
        let order = Order {
            invoice: invoice.clone(),
            code,
            amount,
            state: State::Live,
            created_at: now,
            expires_at: now + SignedDuration::from_mins(minutes),
            made_by: request.request_id().to_owned(),
        };
        let answer = success(&order);
        self.doubles.extend(self.orders.insert(invoice, order));
        Ok(answer)
    }

    fn change(&mut self, request: &Request) -> Result<Value, Answer> {
        let (body, invoice, now) = (request.json(), request.about(), self.now());
        let info = &body["online_to_offline_info"];
        let order = self.orders.get_mut(&invoice).ok_or_else(|| refusal(404, "order is not found"))?;
        if info["payment_code"] != order.code.as_str() {
            return Err(refusal(404, "payment code is not found"));
        }
        match order.state {
            State::Deleted => return Err(refusal(400, "payment code is DELETED")),
            State::Live => {}
        }
        if info["status"] == "DELETE" {
            order.state = State::Deleted;
        } else {
            order.amount = body["order"]["amount"].as_u64().unwrap_or(order.amount);
            order.expires_at = now + SignedDuration::from_mins(info["expired_time"].as_i64().unwrap_or(60));
        }
        Ok(success(order))
    }

    fn status_of(&self, asked: &str) -> Answer {
        let Some(order) = self.orders.get(asked).or_else(|| self.orders.values().find(|order| order.made_by == asked)) else {
            return Answer::json(404, &json!({"message": "Order not found"}));
        };
        let word = match order.state {
            State::Live if order.expires_at > self.now() => "PENDING",
            State::Live | State::Deleted => "EXPIRED",
        };
        Answer::json(200, &finding(order, word))
    }

    /// Every code that can be paid now.
    pub fn payable(&self) -> Vec<&Order> {
        let now = self.now();
        self.orders.values().filter(|order| order.is_payable(now)).collect()
    }
}

/// DOKU's main error shape.
pub fn refusal(status: u16, words: &str) -> Answer {
    Answer::json(status, &json!({"error": {"message": words}}))
}

/// What Check Status says of an order under `word`.
pub fn finding(order: &Order, word: &str) -> Value {
    json!({
        "order": {"invoice_number": order.invoice, "amount": order.amount},
        "transaction": {"status": word, "date": order.created_at.to_string(), "original_request_id": order.made_by},
        "service": {"id": "ONLINE_TO_OFFLINE"},
        "acquirer": {"id": "ALFA"},
        "channel": {"id": "ONLINE_TO_OFFLINE_ALFA"},
        "online_to_offline_info": {
            "created_date": wib(order.created_at), "expired_date": wib(order.expires_at), "reusable_status": "false",
        },
        "online_to_offline_payment": {"identifier": [{"name": "AGENT_TRX_ID", "value": format!("T-{}", order.code)}]},
    })
}

/// The success body of issue, update and cancellation.
pub fn success(order: &Order) -> Value {
    json!({
        "order": {"invoice_number": order.invoice},
        "online_to_offline_info": {
            "payment_code": order.code,
            "created_date": wib(order.created_at),
            "expired_date": wib(order.expires_at),
            "created_date_utc": order.created_at.to_string(),
            "expired_date_utc": order.expires_at.to_string(),
            "how_to_pay_page": format!("https://example.test/how-to-pay/{}", order.code),
        },
    })
}

pub fn wib(at: Timestamp) -> String {
    at.to_zoned(tz::TimeZone::fixed(tz::offset(7))).strftime("%Y%m%d%H%M%S").to_string()
}
