//! Blocks end at line ends and lose nothing.

use super::*;
use crate::domain::digest;
use std::io::Write as _;

fn cut(name: &str, bytes: &[u8]) -> (Vec<Block>, InputFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let (files, tables) = ([path], TableSettings::default());
    let mut blocks = Blocks::new(&files, &tables);
    let batch = blocks.batch(4_096).unwrap();
    (batch, blocks.done.remove(0))
}

fn joined(blocks: &[Block]) -> Vec<u8> {
    let bytes = |block: &Block| if let Content::Lines(bytes) = &block.content { bytes.clone() } else { Vec::new() };
    blocks.iter().flat_map(bytes).collect()
}

#[test]
fn blocks_end_at_line_ends_and_lose_nothing() {
    let text: Vec<u8> = (0..300_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    let (blocks, file) = cut("a.jsonl", &text);
    assert!(blocks.len() > 2);
    assert!(blocks.iter().all(|block| matches!(&block.content, Content::Lines(bytes) if bytes.ends_with(b"\n"))));
    assert_eq!(joined(&blocks), text);
    assert_eq!((file.lines, file.digest), (300_000, digest::of_bytes(&text)));
    let last = blocks.last().unwrap();
    let before: usize = blocks[..blocks.len() - 1].iter().map(|block| joined(std::slice::from_ref(block)).len()).sum();
    assert_eq!(last.byte, u64::try_from(before).unwrap());
}

#[test]
fn compressed_files_give_the_same_lines_and_their_own_digest() {
    let text = b"one\ntwo\nthree";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(&text[..], 1).unwrap();
    // What a file holds counts, not what rotation made of its name.
    for (name, bytes) in [("a.jsonl.gz", gzip.clone()), ("a.jsonl.gz.1", gzip), ("a.ZST", zstd.clone()), ("a.jsonl", zstd)] {
        let (blocks, file) = cut(name, &bytes);
        assert_eq!(joined(&blocks), text);
        assert_eq!((file.lines, file.bytes, file.digest), (3, u64::try_from(bytes.len()).unwrap(), digest::of_bytes(&bytes)));
    }
}

#[test]
fn a_line_too_long_to_keep_is_one_line_with_its_digest() {
    let long = vec![b'x'; 3 * LINE_MAX + 17];
    let text = [b"first\n", &long[..], b"\nlast\n"].concat();
    let (blocks, file) = cut("a.jsonl", &text);
    assert_eq!(file.lines, 3);
    let oversized = blocks.iter().find(|block| matches!(block.content, Content::Oversized(_))).unwrap();
    assert_eq!((oversized.first_line, oversized.byte), (2, 6));
    assert!(matches!(oversized.content, Content::Oversized(found) if found == digest::of_bytes(&long)));
    assert_eq!(joined(&blocks), b"first\nlast\n");
}

#[test]
fn an_empty_file_has_no_lines() {
    let (blocks, file) = cut("a.jsonl", b"");
    assert!(blocks.is_empty());
    assert_eq!((file.lines, file.bytes), (0, 0));
}
