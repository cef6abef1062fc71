//! Who has the places for connections, and who gives way to whom once all are taken.
//!
//! Whoever has proven to be DOKU, by a message that it signed just now, keeps its places from where it came; so do proxies, which speak for
//! many. Of all others, who is being waited for (a head, a body, a next request) gives its place to whoever comes: those first that have the
//! most connections, and of these the one that has been waited for longest. A message that is whole is finished.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The last addresses that are remembered to have proven something.
const PROVEN_MAX: usize = 1_024;

/// See the module.
#[derive(Debug)]
pub(super) struct Places {
    count_max: usize,
    each_max: usize,
    proxies: Vec<IpAddr>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts whatever happens, so that it is known what was before what.
    now: u64,
    open: BTreeMap<u64, Open>,
    proven: HashSet<IpAddr>,
    proven_order: VecDeque<IpAddr>,
}

#[derive(Debug)]
struct Open {
    of: IpAddr,
    is_proxy: bool,
    /// Since when something is waited for; none while a message is being finished.
    waiting_since: Option<u64>,
    gives_way: Arc<Notify>,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    id: u64,
    of: IpAddr,
    gives_way: Arc<Notify>,
}

/// Where a message came from; it takes no place.
#[derive(Debug)]
pub(super) struct Origin {
    places: Arc<Places>,
    of: IpAddr,
}

/// How somebody got a place, or did not.
#[derive(Debug)]
pub(super) enum Taken {
    /// There was one.
    Free(Place),
    /// Another gave way.
    Given(Place),
    /// It has its share, or nobody gives way.
    None,
}

impl Places {
    pub(super) fn new(count_max: usize, each_max: usize, proxies: &[IpAddr]) -> Arc<Self> {
        let proxies = proxies.iter().map(IpAddr::to_canonical).collect();
        Arc::new(Self { count_max, each_max, proxies, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more connection of that address.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Taken {
        let is_proxy = self.proxies.contains(&address.to_canonical());
        let of = holder_of(address.to_canonical());
        let mut state = self.state();
        if !is_proxy && state.open.values().filter(|open| open.of == of && !open.is_proxy).count() >= self.each_max {
            return Taken::None;
        }
        let is_full = state.open.len() >= self.count_max;
        if is_full && !state.one_gives_way() {
            return Taken::None;
        }
        let (id, gives_way) = (state.next(), Arc::new(Notify::new()));
        state.open.insert(id, Open { of, is_proxy, waiting_since: Some(id), gives_way: Arc::clone(&gives_way) });
        let place = Place { places: Arc::clone(self), id, of, gives_way };
        if is_full { Taken::Given(place) } else { Taken::Free(place) }
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.now = self.now.saturating_add(1);
        self.now
    }

    /// Lets one connection give way, if there is one that has to.
    fn one_gives_way(&mut self) -> bool {
        let strangers = || self.open.iter().filter(|(_, open)| !open.is_proxy && !self.proven.contains(&open.of));
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for (_, open) in strangers() {
            let count = counts.entry(open.of).or_default();
            *count = count.saturating_add(1);
        }
        let waiting = strangers().filter_map(|(id, open)| Some((counts.get(&open.of)?, std::cmp::Reverse(open.waiting_since?), *id)));
        let Some((_, _, id)) = waiting.max() else { return false };
        if let Some(open) = self.open.remove(&id) {
            open.gives_way.notify_one();
        }
        true
    }
}

impl Place {
    /// Ends once somebody else has the place.
    pub(super) async fn given_up(&self) {
        self.gives_way.notified().await;
    }

    fn change(&self, change: impl FnOnce(&mut Open, u64)) {
        let mut state = self.places.state();
        let now = state.next();
        if let Some(open) = state.open.get_mut(&self.id) {
            change(open, now);
        }
    }

    /// A message of it is whole: it is finished.
    pub(super) fn finishes(&self) {
        self.change(|open, _| open.waiting_since = None);
    }

    /// The next one is waited for, or that the answer is read.
    pub(super) fn waits(&self) {
        self.change(|open, now| open.waiting_since = Some(now));
    }

    /// Where its messages come from.
    pub(super) fn origin(&self) -> Origin {
        Origin { places: Arc::clone(&self.places), of: self.of }
    }
}

impl Origin {
    /// From there came what DOKU alone can have signed, just now and for the first time.
    pub(super) fn is_proven(&self) {
        let mut state = self.places.state();
        if state.proven.insert(self.of) {
            state.proven_order.push_back(self.of);
            if state.proven_order.len() > PROVEN_MAX
                && let Some(oldest) = state.proven_order.pop_front()
            {
                state.proven.remove(&oldest);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.state().open.remove(&self.id);
    }
}

/// Whoever has one address of IPv6 has the 2^64 beside it.
const fn holder_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => IpAddr::V6(std::net::Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn place(taken: Taken) -> Option<Place> {
        match taken {
            Taken::Free(place) | Taken::Given(place) => Some(place),
            Taken::None => None,
        }
    }

    #[test]
    fn an_address_has_its_share_and_a_proxy_is_not_counted() {
        let places = Places::new(99, 2, &[at("127.0.0.1")]);
        let take = |text: &str| place(places.take(at(text)));
        let held: Vec<_> = ["10.0.0.1", "10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"].map(take).into();
        assert!(held.iter().all(Option::is_some));
        for more in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::3"] {
            assert!(take(more).is_none(), "{more}");
        }
        assert!(take("2001:db8:0:1::1").is_some());
        let proxied: Vec<_> = (0..9).map(|_| take("::ffff:127.0.0.1")).collect();
        assert!(proxied.iter().all(Option::is_some));
        drop((held, proxied));
        assert!(take("10.0.0.1").is_some() && places.state().open.is_empty(), "nothing is kept of who is gone");
    }

    #[test]
    fn who_is_waited_for_gives_way_to_whoever_comes_and_who_has_proven_something_keeps_its_place() {
        let places = Places::new(6, 4, &[at("127.0.0.1")]);
        let take = |text: &str| places.take(at(text));
        let is_there = |place: &Place| places.state().open.contains_key(&place.id);
        let proxy = place(take("127.0.0.1")).unwrap();
        let doku = place(take("10.0.0.1")).unwrap();
        doku.origin().is_proven();
        let finishing = place(take("10.0.0.2")).unwrap();
        finishing.finishes();
        let [first, second] = [(); 2].map(|()| place(take("10.0.0.3")).unwrap());
        let alone = place(take("10.0.0.4")).unwrap();
        // The first has asked something meanwhile.
        first.waits();
        let Taken::Given(newcomer) = take("10.0.0.5") else { panic!("nobody gave way") };
        assert!(!is_there(&second) && is_there(&first), "of the one with the most, who is waited for longest");
        // Now each has one.
        let Taken::Given(next) = take("10.0.0.6") else { panic!("nobody gave way") };
        assert!(!is_there(&alone) && is_there(&first) && is_there(&newcomer), "the one that is waited for longest");
        drop(second);
        assert!([&proxy, &doku, &finishing].into_iter().all(is_there), "those never");
        for stranger in [&first, &newcomer, &next] {
            stranger.finishes();
        }
        assert!(matches!(take("10.0.0.7"), Taken::None), "nobody is waited for");
        drop(alone);
        assert_eq!(places.state().open.len(), 6, "who has given way takes no place with it");
    }

    #[test]
    fn the_oldest_proof_is_forgotten() {
        let places = Places::new(2, 2, &[]);
        for number in 0..=u32::try_from(PROVEN_MAX).unwrap() {
            place(places.take(IpAddr::V4(number.into()))).unwrap().origin().is_proven();
        }
        let state = places.state();
        assert!(!state.proven.contains(&at("0.0.0.0")) && state.proven.contains(&at("0.0.4.0")));
        assert_eq!((state.proven.len(), state.proven_order.len()), (PROVEN_MAX, PROVEN_MAX));
    }
}
