//! How many connections each address has, so that one that opens many and says nothing leaves places for the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug)]
pub(super) struct Addresses {
    each_max: usize,
    /// These speak for many.
    proxies: Vec<IpAddr>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    addresses: Arc<Addresses>,
    of: Option<IpAddr>,
}

impl Addresses {
    pub(super) fn new(each_max: usize, proxies: &[IpAddr]) -> Arc<Self> {
        Arc::new(Self { each_max, proxies: proxies.iter().map(IpAddr::to_canonical).collect(), open: Mutex::default() })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of that address; `None` where it has its share.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Taken> {
        let address = address.to_canonical();
        if self.proxies.contains(&address) {
            return Some(Taken { addresses: Arc::clone(self), of: None });
        }
        let holder = holder_of(address);
        let mut open = self.open();
        let count = open.entry(holder).or_default();
        if *count >= self.each_max {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Taken { addresses: Arc::clone(self), of: Some(holder) })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(holder) = self.of else { return };
        let mut open = self.addresses.open();
        if let Some(count) = open.get_mut(&holder) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&holder);
            }
        }
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

    #[test]
    fn an_address_has_its_share_and_a_proxy_is_not_counted() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let addresses = Addresses::new(2, &[at("127.0.0.1")]);
        let held: Vec<_> = ["10.0.0.1", "10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"].map(|text| addresses.take(at(text))).into();
        assert!(held.iter().all(Option::is_some));
        for more in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::3"] {
            assert!(addresses.take(at(more)).is_none(), "{more}");
        }
        assert!(addresses.take(at("2001:db8:0:1::1")).is_some());
        let proxied: Vec<_> = (0..9).map(|_| addresses.take(at("::ffff:127.0.0.1"))).collect();
        assert!(proxied.iter().all(Option::is_some));
        drop((held, proxied));
        assert!(addresses.take(at("10.0.0.1")).is_some() && addresses.open().is_empty(), "nothing is kept of who is gone");
    }
}
