use super::*;
use crate::publish::fix::Version;

fn key(target: &str) -> Key {
    Key {
        version: Version::Fix44,
        sender: b"W"[..].into(),
        target: target.as_bytes().into(),
    }
}

fn fresh(opened_ns: u64) -> Numbers {
    Numbers {
        opened_ns,
        ..Numbers::default()
    }
}

fn numbers(expected: u64, next: u64) -> Numbers {
    Numbers {
        expected,
        next,
        opened_ns: 0,
    }
}

/// The numbers of a session that is taken.
fn taken(store: &mut Store, key: &Key, opened_ns: u64) -> Option<Numbers> {
    store.acquire(key, opened_ns).map(|(_, numbers)| numbers)
}

#[test]
fn numbers_go_on_and_a_live_session_is_taken() {
    let mut store = Store::new();
    let (place, first) = store.acquire(&key("A"), 0).unwrap();
    assert_eq!(first, Numbers::default());
    assert_eq!(store.acquire(&key("A"), 0), None);
    store.release(place, numbers(9, 40));
    assert_eq!(taken(&mut store, &key("B"), 0), Some(Numbers::default()));
    let other = Key {
        version: Version::Fix42,
        ..key("A")
    };
    assert_eq!(taken(&mut store, &other, 0), Some(Numbers::default()));
    let (place, later) = store.acquire(&key("A"), 0).unwrap();
    assert_eq!(later, numbers(9, 40));
    assert_eq!(store.reserved(place), u64::MAX, "in memory nothing waits");
}

#[test]
fn a_new_period_starts_numbers_again() {
    let mut store = Store::new();
    let (place, first) = store.acquire(&key("A"), 7).unwrap();
    assert_eq!(first, fresh(7));
    let later = Numbers {
        next: 40,
        ..fresh(7)
    };
    store.release(place, later);
    let (place, same) = store.acquire(&key("A"), 7).unwrap();
    assert_eq!(same, later);
    store.release(place, later);
    assert_eq!(taken(&mut store, &key("A"), 8), Some(fresh(8)));
}

#[test]
fn the_one_that_left_first_is_forgotten() {
    let mut store = Store::new();
    for peer in 0..=MAX_REMEMBERED {
        let (place, _) = store.acquire(&key(&peer.to_string()), 0).unwrap();
        if peer > 0 {
            store.release(place, numbers(2, 2));
        }
    }
    assert_eq!(store.len(), MAX_REMEMBERED);
    assert_eq!(store.acquire(&key("0"), 0), None, "live ones stay");
    assert_eq!(taken(&mut store, &key("2"), 0), Some(numbers(2, 2)));
    assert_eq!(taken(&mut store, &key("1"), 0), Some(Numbers::default()));
}

/// Has `count` sessions come and go, the first named `first`.
fn visits(store: &mut Store, first: usize, count: usize) {
    for peer in first..first + count {
        let (place, _) = store.acquire(&key(&peer.to_string()), 0).unwrap();
        store.release(place, numbers(700, 900));
    }
}

#[test]
fn what_was_forgotten_stays_forgotten_in_a_file() {
    let options = options("forgotten", 0);
    let mut store = Store::open(&options).unwrap();
    visits(&mut store, 0, MAX_REMEMBERED + 2);
    let (place, again) = store.acquire(&key("0"), 0).unwrap();
    assert_eq!(again, Numbers::default());
    store.release(place, numbers(5, 6));
    store.commit();
    for _ in 0..2 {
        drop(store);
        store = Store::open(&options).unwrap();
        assert_eq!(store.len(), MAX_REMEMBERED);
        assert!(!store.places.contains_key(&key("1")));
        assert_eq!(store.slots[&store.places[&key("0")]].numbers, numbers(5, 6));
    }
}

#[test]
fn a_session_that_a_file_introduces_twice_has_its_newest_place() {
    let options = options("twice", 0);
    let mut store = Store::open(&options).unwrap();
    for number in [5, 6, 7] {
        let place = store.introduce(key("A"));
        store.write(place, numbers(number, number));
    }
    store.commit();
    for _ in 0..2 {
        drop(store);
        store = Store::open(&options).unwrap();
        assert_eq!((store.len(), store.places.len()), (1, 1));
    }
    assert_eq!(taken(&mut store, &key("A"), 0), Some(numbers(7, 7)));
}

/// A file of its own for each test.
fn options(name: &str, messages: usize) -> StoreOptions {
    let file = std::env::temp_dir().join(format!("widetape-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&file);
    StoreOptions {
        file: Some(file),
        messages,
    }
}

#[test]
fn a_store_that_is_dropped_goes_on_behind_every_number_it_may_have_used() {
    let options = options("dropped", 0);
    let mut store = Store::open(&options).unwrap();
    let (place, _) = store.acquire(&key("A"), 0).unwrap();
    assert_eq!(store.reserved(place), 1 + BLOCK);
    store.progress(place, numbers(5, BLOCK / 2));
    assert_eq!(
        store.reserved(place),
        BLOCK / 2 + BLOCK,
        "what came in is written"
    );
    store.progress(place, numbers(5, BLOCK));
    assert_eq!(
        store.reserved(place),
        BLOCK / 2 + BLOCK,
        "half a block is left"
    );
    store.progress(place, numbers(5, BLOCK + 1));
    assert_eq!(store.reserved(place), BLOCK + 1 + BLOCK);
    store.commit();
    drop(store);

    let mut store = Store::open(&options).unwrap();
    let (place, found) = store.acquire(&key("A"), 0).unwrap();
    assert_eq!(found, numbers(5, BLOCK + 1 + BLOCK));
    store.release(place, numbers(6, 200_000));
    store.commit();
    drop(store);
    let mut store = Store::open(&options).unwrap();
    let (place, found) = store.acquire(&key("A"), 0).unwrap();
    assert_eq!(found, numbers(6, 200_000), "an orderly end leaves no gap");
    store.reset(place);
    store.commit();
    drop(store);
    let mut store = Store::open(&options).unwrap();
    assert_eq!(taken(&mut store, &key("A"), 0), Some(numbers(1, 1 + BLOCK)));
}

#[test]
fn messages_are_kept_up_to_their_number() {
    let options = options("messages", 3);
    let mut store = Store::open(&options).unwrap();
    let (mut place, _) = store.acquire(&key("A"), 0).unwrap();
    store.keep(place, 7, 1, b"A", &[b"98=0\x01"]);
    for sequence in [2, 3, 5, 8] {
        store.keep(place, 100 + sequence, sequence, b"W", &[b"262=", b"R\x01"]);
    }
    store.commit();
    for is_last in [false, true] {
        let first = |from| store.kept(place, from).map(|kept| kept.sequence);
        let found = [1, 2, 3, 4, 6, 9].map(first);
        assert_eq!(found, [Some(3), Some(3), Some(3), Some(5), Some(8), None]);
        let kept = store.kept(place, 8).unwrap();
        assert_eq!((kept.sent_ns, &*kept.body), (108, &b"262=R\x01"[..]));
        if is_last {
            store.reset(place);
            assert_eq!(store.kept(place, 1), None);
            break;
        }
        drop(store);
        store = Store::open(&options).unwrap();
        place = store.acquire(&key("A"), 0).unwrap().0;
    }
}

#[test]
fn a_file_that_grows_is_written_anew() {
    let options = options("grows", 2);
    let path = options.file.clone().unwrap();
    let mut store = Store::open(&options).unwrap();
    store.rewrite_from = 10_000;
    let (place, _) = store.acquire(&key("A"), 0).unwrap();
    for sequence in 1..1_000 {
        store.keep(place, 0, sequence, b"W", &[&[b'x'; 100]]);
        store.progress(place, numbers(sequence, sequence + 1));
        store.commit();
        let length = std::fs::metadata(&path).unwrap().len();
        assert!(length <= REWRITE_FROM, "{length}");
        store.rewrite_from = store.rewrite_from.min(10_000);
    }
    assert!(std::fs::metadata(&path).unwrap().len() <= 10_000);
    assert!(store.take_failure().is_none());
    drop(store);
    let mut store = Store::open(&options).unwrap();
    let (place, found) = store.acquire(&key("A"), 0).unwrap();
    assert_eq!((found.expected, found.next), (999, 1_000 + BLOCK));
    assert_eq!(store.kept(place, 0).unwrap().sequence, 998);
}

#[test]
fn the_longest_file_is_read_back() {
    let options = options("long", 10_000);
    let path = options.file.clone().unwrap();
    let mut store = Store::open(&options).unwrap();
    let (place, _) = store.acquire(&key("A"), 0).unwrap();
    let length = || std::fs::metadata(&path).unwrap().len();
    let mut sequence = 0;
    while length() < REWRITE_FROM - 100_000 {
        sequence += 1;
        store.keep(place, 0, sequence, b"X", &[&[b'x'; 17_000]]);
        store.commit();
    }
    drop(store);
    let start = std::time::Instant::now();
    let mut store = Store::open(&options).unwrap();
    let (place, _) = store.acquire(&key("A"), 0).unwrap();
    let took = start.elapsed();
    println!("{} bytes were read back in {took:?}", length());
    for wanted in 1..=sequence {
        let kept = store.kept(place, wanted).unwrap();
        assert_eq!((kept.sequence, &*kept.msg_type), (wanted, &b"X"[..]));
        assert_eq!(*kept.body, [b'x'; 17_000]);
    }
    assert!(store.kept(place, sequence + 1).is_none());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn faults_are_named() {
    let mut options = options("faults", 0);
    let path = options.file.clone().unwrap();
    std::fs::write(&path, "[fix.acceptor]\nlisten = '127.0.0.1:9878'\n").unwrap();
    let error = Store::open(&options).unwrap_err().to_string();
    assert!(error.ends_with("not a journal of FIX numbers"), "{error}");
    options.file = Some("/nowhere/at/all".into());
    let error = Store::open(&options).unwrap_err().to_string();
    let lock = "FIX store /nowhere/at/all.lock: ";
    assert!(error.starts_with(lock), "{error}");
}

#[test]
fn a_store_that_is_open_is_left_alone_until_it_is_closed() {
    let options = options("in-use", 0);
    let path = options.file.clone().unwrap();
    let mut store = Store::open(&options).unwrap();
    for rewritten in [false, true] {
        if rewritten {
            store.rewrite();
        }
        let error = Store::open(&options).unwrap_err();
        assert!(matches!(&error, StoreError::InUse { path: named } if *named == path));
        let text = error.to_string();
        let lock = format!("{}.lock is locked: stop", path.display());
        assert!(
            text.contains(&lock) && text.contains("store.file"),
            "{text}"
        );
    }
    let (place, _) = store.acquire(&key("A"), 0).unwrap();
    store.release(place, numbers(6, 9));
    store.commit();
    assert!(store.take_failure().is_none());
    drop(store);
    let mut store = Store::open(&options).unwrap();
    assert_eq!(taken(&mut store, &key("A"), 0), Some(numbers(6, 9)));
}

#[test]
fn only_files_under_the_whole_name_are_written() {
    let folder = std::env::temp_dir().join(format!("widetape-{}-beside", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("desk.new"), "somebody else's").unwrap();
    std::fs::write(
        folder.join("desk.nyse.new"),
        "left by a process that was killed",
    )
    .unwrap();
    let open = |name: &str| {
        let file = Some(folder.join(name));
        Store::open(&StoreOptions { file, messages: 0 }).unwrap()
    };
    let stores = [open("desk.nyse"), open("desk.nasdaq")];
    for mut store in stores {
        store.rewrite();
        assert!(store.take_failure().is_none());
    }
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let expected = [
        "desk.nasdaq",
        "desk.nasdaq.lock",
        "desk.new",
        "desk.nyse",
        "desk.nyse.lock",
    ];
    assert_eq!(names, expected);
    let kept = std::fs::read_to_string(folder.join("desk.new")).unwrap();
    assert_eq!(kept, "somebody else's");
    std::fs::remove_dir_all(&folder).unwrap();
}
