//! The machine's own files.

use std::io::IoSlice;
use std::path::PathBuf;

use bytes::BytesMut;
use os::{Disk, File, OpenOptions, Random};

/// A directory that goes when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let path = std::env::temp_dir().join(format!("ottla-os-{:016x}", Random::real().u64()));
        Disk::real().create_directories(&path).expect("a writable place");
        Scratch(path)
    }

    fn file(&self, name: &str) -> File {
        Disk::real()
            .open(
                &self.0.join(name),
                OpenOptions {
                    create: true,
                    truncate: true,
                },
            )
            .expect("room")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn more_slices_than_one_call_takes_are_written_whole() {
    let scratch = Scratch::new();
    let file = scratch.file("f");
    let pieces: Vec<Vec<u8>> = (0..3000).map(|at| vec![at as u8; at % 5]).collect();
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    file.write_all_at(&mut slices, 7).expect("room");
    let whole: Vec<u8> = pieces.concat();
    let mut read = vec![1; whole.len() + 7];
    file.read_exact_at(&mut read, 0).expect("written");
    assert_eq!((&read[..7], &read[7..]), (&[0; 7][..], &whole[..]));
}

#[test]
fn a_reserved_file_is_zeros_of_that_length() {
    let scratch = Scratch::new();
    let file = scratch.file("f");
    file.allocate(100_001).expect("room");
    assert_eq!(file.len().expect("open"), 100_001);
    file.sync_data().expect("a sound disk");
    assert_eq!(
        Disk::real().read(&scratch.0.join("f")).expect("there"),
        vec![0; 100_001]
    );
}

#[test]
fn a_cached_read_gives_the_bytes_or_says_that_it_would_wait() {
    let scratch = Scratch::new();
    let file = scratch.file("f");
    file.write_all_at(&mut [IoSlice::new(&[5; 9000])], 0)
        .expect("room");
    let mut into = BytesMut::from(&b"before"[..]);
    if file.try_append_cached_at(&mut into, 9000, 0).expect("inside") {
        assert_eq!((&into[..6], &into[6..]), (&b"before"[..], &[5; 9000][..]));
        into.truncate(6);
    }
    assert!(
        !matches!(file.try_append_cached_at(&mut into, 9000, 10), Ok(true)),
        "it ends before that"
    );
    assert!(file.append_exact_at(&mut into, 9000, 10).is_err());
    assert_eq!(&into[..], b"before", "what was not read whole leaves nothing");
    file.append_exact_at(&mut into, 8990, 10).expect("inside");
    assert_eq!(into.len(), 8996);
}

#[test]
fn a_directory_has_one_holder() {
    let scratch = Scratch::new();
    let disk = Disk::real();
    let held = disk.lock(&scratch.0).expect("lockable");
    assert!(held.is_some());
    assert!(disk.lock(&scratch.0).expect("lockable").is_none());
    drop(held);
    assert!(disk.lock(&scratch.0).expect("lockable").is_some());
}

#[test]
fn a_file_is_replaced_and_leaves_nothing_beside_it() {
    let scratch = Scratch::new();
    let (disk, path) = (Disk::real(), scratch.0.join("f"));
    disk.write_atomically(&path, b"old").expect("room");
    disk.write_atomically(&path, b"new").expect("room");
    assert_eq!(disk.read(&path).expect("there"), b"new");
    assert_eq!(disk.list(&scratch.0).expect("there"), [path]);
}

#[test]
fn the_machine_has_limits() {
    assert!(16 << 20 < os::limits::memory_bytes());
    assert!(64 <= os::limits::raise_open_files());
    assert!(1 <= os::limits::cores());
    assert!(0 < Disk::real().free_bytes(&std::env::temp_dir()).expect("there"));
}

#[test]
fn a_read_past_the_cache_gives_what_was_written_wherever_it_begins() {
    let folder = std::env::temp_dir().join(format!("ottla-past-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("file");
    let options = OpenOptions {
        create: true,
        truncate: true,
    };
    let file = Disk::real().open(&path, options).expect("a file");
    let bytes: Vec<u8> = (0..20_000u32).map(|at| (at % 251) as u8).collect();
    file.write_all_at(&mut [std::io::IoSlice::new(&bytes)], 0)
        .expect("room");
    for (position, length) in [(0, 20_000), (1, 10), (4095, 2), (8192, 4096), (19_990, 10)] {
        let mut read = vec![0; length];
        // A file system without such reads says so, and reads nothing.
        if file
            .read_past_cache_at(&mut read, position as u64)
            .expect("a sound disk")
        {
            assert_eq!(read, bytes[position..position + length]);
        }
    }
    assert!(file.read_past_cache_at(&mut [0; 2], 19_999).is_err());
    std::fs::remove_dir_all(&folder).expect("ours");
}
