//! What the simulated disk loses, keeps and gets wrong.

use std::io::{self, IoSlice};
use std::path::Path;

use os::disk::{Fault, SimDisk};
use os::{Disk, File, OpenOptions, Random};

const PATH: &str = "/d/f";

fn open(disk: &SimDisk, path: &str) -> File {
    let options = OpenOptions {
        create: true,
        truncate: false,
    };
    Disk::Simulated(disk.clone())
        .open(Path::new(path), options)
        .expect("room")
}

/// An empty file with a durable name.
fn file(disk: &SimDisk) -> File {
    let file = open(disk, PATH);
    Disk::Simulated(disk.clone())
        .sync_directory(Path::new("/d"))
        .expect("no fault");
    file
}

fn write(file: &File, position: u64, data: &[u8]) -> io::Result<()> {
    file.write_all_at(&mut [IoSlice::new(data)], position)
}

fn bytes(disk: &SimDisk) -> Vec<u8> {
    Disk::Simulated(disk.clone())
        .read(Path::new(PATH))
        .expect("there")
}

#[test]
fn what_is_synced_survives_and_names_need_their_directory() {
    let disk = SimDisk::new();
    let f = open(&disk, PATH);
    write(&f, 0, b"abc").expect("room");
    f.sync_data().expect("no fault");
    assert_eq!(disk.crash_after(9, 0).files(), []);
    // A journal may have kept the name all the same.
    let kept = (0..40)
        .filter(|seed| !disk.crash(&Random::seeded(*seed)).files().is_empty())
        .count();
    assert!(0 < kept && kept < 40, "{kept}");
    Disk::Simulated(disk.clone())
        .sync_directory(Path::new("/d"))
        .expect("no fault");
    for seed in 0..40 {
        assert_eq!(bytes(&disk.crash(&Random::seeded(seed))), b"abc");
    }
}

#[test]
fn a_rename_is_the_old_name_or_the_new_one() {
    let disk = SimDisk::new();
    let f = file(&disk);
    write(&f, 0, b"abc").expect("room");
    f.sync_data().expect("no fault");
    let os = Disk::Simulated(disk.clone());
    os.rename(Path::new(PATH), Path::new("/e/g")).expect("there");
    let names = |disk: SimDisk| disk.files().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    let after: std::collections::BTreeSet<_> = (0..40)
        .map(|seed| names(disk.crash(&Random::seeded(seed))))
        .collect();
    assert_eq!(after, [vec![PATH.into()], vec!["/e/g".into()]].into());
    os.sync_directory(Path::new("/e")).expect("no fault");
    assert_eq!(names(disk.crash_after(0, 0)), [Path::new("/e/g")]);
    os.remove_file(Path::new("/e/g")).expect("there");
    assert_eq!(names(disk.crash_after(0, 0)), [Path::new("/e/g")]);
    os.sync_directory(Path::new("/e")).expect("no fault");
    assert_eq!(disk.crash(&Random::seeded(1)).files(), []);
}

#[test]
fn unsynced_writes_are_lost_kept_cut_or_holed() {
    let disk = SimDisk::new();
    let f = file(&disk);
    write(&f, 0, &[7; 4096]).expect("room");
    let (mut lost, mut whole, mut cut, mut holed) = (0, 0, 0, 0);
    for seed in 0..200 {
        let after = bytes(&disk.crash(&Random::seeded(seed)));
        let sevens = after.iter().filter(|byte| **byte == 7).count();
        match (sevens, after.iter().rposition(|byte| *byte == 7)) {
            (0, _) => lost += 1,
            (4096, _) => whole += 1,
            (count, Some(last)) if last + 1 == count => cut += 1,
            _ => holed += 1,
        }
    }
    assert!(
        0 < lost && 0 < whole && 0 < cut && 0 < holed,
        "{lost} {whole} {cut} {holed}"
    );
}

#[test]
fn a_later_write_may_survive_an_earlier_one() {
    let disk = SimDisk::new();
    let f = file(&disk);
    write(&f, 0, b"a").expect("room");
    write(&f, 1, b"b").expect("room");
    assert!((0..60).any(|seed| bytes(&disk.crash(&Random::seeded(seed))) == b"\0b"));
}

#[test]
fn every_cut_in_time_is_the_writes_before_it() {
    let disk = SimDisk::new();
    let f = file(&disk);
    write(&f, 0, b"abc").expect("room");
    write(&f, 3, b"de").expect("room");
    let pending = disk.pending();
    assert_eq!(
        pending
            .iter()
            .map(|write| (write.position, write.bytes))
            .collect::<Vec<_>>(),
        [(0, 3), (3, 2)]
    );
    let mut seen = Vec::new();
    for (whole, write) in pending.iter().enumerate() {
        for cut in 0..write.bytes {
            seen.push(bytes(&disk.crash_after(whole, cut)));
        }
    }
    seen.push(bytes(&disk.crash_after(2, 0)));
    let expected: Vec<Vec<u8>> = (0..=5).map(|length| b"abcde"[..length].to_vec()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_failed_sync_loses_what_it_should_have_saved() {
    let disk = SimDisk::new();
    let f = file(&disk);
    write(&f, 0, b"abc").expect("room");
    disk.fail(Fault::Sync(1));
    assert!(f.sync_data().is_err());
    assert!(f.sync_data().is_ok());
    assert_eq!(bytes(&disk), b"abc", "the page cache still says so");
    assert_eq!(bytes(&disk.crash(&Random::seeded(2))), b"");
    f.drop_cache();
    assert_eq!(bytes(&disk), b"");
}

#[test]
fn writes_fail_get_lost_or_land_elsewhere() {
    let disk = SimDisk::new();
    let f = file(&disk);
    write(&f, 0, &[0; 8]).expect("room");
    disk.fail(Fault::Write(2));
    disk.fail(Fault::LostWrite(3));
    disk.fail(Fault::Misdirected(4, 2));
    write(&f, 0, b"a").expect("the first");
    assert!(write(&f, 1, b"b").is_err());
    write(&f, 2, b"c").expect("it says");
    write(&f, 3, b"d").expect("it says");
    assert_eq!(bytes(&disk), b"a\0\0\0\0d\0\0");
    disk.fail(Fault::FlippedRead(1));
    assert_ne!(bytes(&disk), bytes(&disk));
    disk.fail(Fault::Reads);
    assert!(f.read_exact_at(&mut [0], 0).is_err());
    disk.heal();
    assert!(f.read_exact_at(&mut [0], 0).is_ok());
}

#[test]
fn a_full_disk_says_so_and_has_room_when_something_goes() {
    let disk = SimDisk::new();
    disk.set_capacity(Some(10));
    let f = file(&disk);
    assert!(write(&f, 0, &[0; 10]).is_ok());
    let g = open(&disk, "/d/g");
    assert_eq!(write(&g, 0, &[0]).expect_err("full").raw_os_error(), Some(28));
    assert!(write(&f, 3, &[1]).is_ok());
    Disk::Simulated(disk.clone())
        .remove_file(Path::new(PATH))
        .expect("there");
    assert!(write(&g, 0, &[0]).is_ok());
}

#[test]
fn one_seed_is_one_image_and_images_are_apart() {
    let disk = SimDisk::new();
    let f = file(&disk);
    for at in 0..20 {
        write(&f, at * 700, &[at as u8 + 1; 700]).expect("room");
    }
    let (one, two) = (disk.crash(&Random::seeded(9)), disk.crash(&Random::seeded(9)));
    assert_eq!(bytes(&one), bytes(&two));
    write(&open(&one, PATH), 0, b"changed").expect("room");
    assert_ne!(bytes(&one), bytes(&two));
    assert_eq!(bytes(&disk)[0], 1);
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    for seed in 0..200 {
        let disk = SimDisk::new();
        let os = Disk::Simulated(disk.clone());
        os.write_atomically(Path::new(PATH), b"old").expect("no fault");
        // The power goes at the first, second or third sync of the new one, or after it.
        let random = Random::seeded(seed);
        disk.fail(Fault::Sync(1 + random.u64() % 3));
        let done = os.write_atomically(Path::new(PATH), b"newer").is_ok();
        let after = bytes(&disk.crash(&random));
        assert!(
            after == b"newer" || (!done && after == b"old"),
            "seed {seed}: {after:?}"
        );
    }
}
