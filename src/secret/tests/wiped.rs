//! Whether a key is still in this process's memory once nobody holds it.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use zeroize::Zeroizing;

use super::super::*;
use crate::doku::signature::SigningKey;

/// A key that stands nowhere else in this memory, as it is not to be found: turned about, so that what is looked for is no find itself.
const TURN: u8 = 0x5a;
const TURNED: [u8; 32] =
    *b"\x09\x11\x77\x6d\x6b\x3c\x28\x35\x37\x6e\x29\x2e\x3b\x36\x3f\x62\x6c\x32\x3d\x6a\x39\x23\x69\x38\x3e\x30\x6f\x2d\x22\x2c\x68\x31";

fn key() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(TURNED.iter().map(|byte| byte ^ TURN).collect())
}

/// How often it stands in what this process may write: its heap, its stacks, its variables.
fn found() -> usize {
    const PART: usize = 1 << 20;
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let is_it = |window: &[u8]| window.iter().zip(&TURNED).all(|(byte, turned)| byte ^ TURN == *turned);
    let mut part = Zeroizing::new(vec![0_u8; PART]);
    let own = part.as_ptr().addr()..part.as_ptr().addr() + PART;
    let mut count = 0;
    for map in maps.lines().filter(|map| map.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (from, to) = map.split(' ').next().unwrap().split_once('-').unwrap();
        let [mut at, to] = [from, to].map(|address| usize::from_str_radix(address, 16).unwrap());
        while at < to {
            let Ok(read @ 1..) = memory.read_at(&mut part[..PART.min(to - at)], at.try_into().unwrap()) else { break };
            // What was read lies in this memory, too.
            let read_part = &part[..read];
            let begins = memchr::memchr_iter(TURNED[0] ^ TURN, read_part).filter(|place| !own.contains(&(at + place)));
            count += begins.filter(|place| read_part.get(*place..place + TURNED.len()).is_some_and(is_it)).count();
            // Parts overlap, so that none is cut.
            at += if read == PART { PART - TURNED.len() + 1 } else { read };
        }
    }
    count
}

#[test]
fn what_held_a_key_is_wiped_once_nobody_holds_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &*key()).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    let secret = from_file(file.path()).unwrap();
    let signing = SigningKey::new(&secret);
    assert!(found() > 0, "it is found where it is");
    drop((secret, signing));
    let words = vec!["/bin/cat".to_owned(), file.path().display().to_string()];
    let command = SecretCommand { words, limit: std::time::Duration::from_mins(1) };
    let sources = SecretSources { command: Some(command), ..SecretSources::default() };
    drop(load("", sources).unwrap());
    assert_eq!(found(), 0, "read from a file, signed with, and printed by a command");
}
