//! A ResendRequest whose answer is longer than what may wait for a reader: who reads gets all of it,
//! who does not is logged out as ever, and neither takes more memory than a slow reader.

use widetape::market::{Price, Timestamp};
use widetape::publish::fix::StoreOptions;

use super::client::{Client, Desk};

const SYMBOLS: u16 = 150;
/// Messages that are sent again.
const MESSAGES: u32 = 1_200;
const CONFLATE: usize = 32 << 10;
const LIMIT: usize = 64 << 10;

/// The value of field `tag`.
fn field<'a>(message: &'a str, tag: &str) -> Option<&'a str> {
    let (_, value) = message.split_once(&format!("|{tag}="))?;
    value.split('|').next()
}

fn number(message: &str, tag: &str) -> u64 {
    field(message, tag).unwrap().parse().unwrap()
}

/// A desk that keeps messages, and a subscriber to every symbol.
fn subscribed() -> (Desk, Client) {
    let mut desk = Desk::new(|options| {
        options.max_pending_bytes = LIMIT;
        options.conflate_bytes = CONFLATE;
        options.store = StoreOptions {
            messages: 10_000,
            ..StoreOptions::default()
        };
    });
    desk.list(SYMBOLS);
    let mut client = desk.log_on("READER");
    client.send(&desk, "V", "262=R|263=1|264=0|267=1|269=9|146=1|55=*|");
    desk.until(|acceptor| acceptor.counts().requests == 1);
    (desk, client)
}

/// Publishes a value of every symbol.
fn publish(desk: &mut Desk, step: u32) {
    let end = Timestamp(u64::from(step) * 1_000_000);
    desk.publish_each(SYMBOLS, end, Price(10_000 + step));
}

/// Publishes all messages and reads them; their entries, the first under number 2.
fn values(desk: &mut Desk, client: &mut Client) -> Vec<String> {
    let mut values = Vec::new();
    for step in 0..MESSAGES {
        publish(desk, step);
        let message = client.next(desk);
        assert_eq!(number(&message, "34"), u64::from(step) + 2, "{message}");
        values.push(entries(&message));
    }
    let bytes: usize = values.iter().map(String::len).sum();
    assert!(bytes > 100 * LIMIT, "{bytes} bytes");
    values
}

/// What is the same in a repetition.
fn entries(message: &str) -> String {
    let (_, body) = message.split_once("|262=").unwrap();
    body.rsplit_once("|10=").unwrap().0.to_owned()
}

#[test]
fn who_reads_gets_an_answer_of_any_length() {
    let (mut desk, mut client) = subscribed();
    let values = values(&mut desk, &mut client);
    let behind = u64::from(MESSAGES) + 2;
    client.send(&desk, "2", "7=1|16=700|");
    client.send(&desk, "2", "7=601|16=0|");
    let (mut expected, mut live) = (1, 0);
    while expected < behind {
        desk.elapsed_ms += 2;
        let message = client.next(&mut desk);
        let sequence = number(&message, "34");
        if sequence >= behind {
            assert_eq!(field(&message, "43"), None, "{message}");
            live += 1;
            continue;
        }
        assert_eq!(sequence, expected, "{message}");
        assert_eq!(field(&message, "43"), Some("Y"), "{message}");
        expected = match field(&message, "35") {
            Some("4") => number(&message, "36"),
            _ => {
                assert_eq!(entries(&message), values[sequence as usize - 2]);
                sequence + 1
            }
        };
        if sequence == 100 {
            publish(&mut desk, MESSAGES);
        }
        let waiting = desk.acceptor.counts().bytes_waiting as usize;
        assert!(waiting < CONFLATE, "{waiting} bytes wait");
    }
    assert_eq!(live, 1, "values go on meanwhile");
    client.send(&desk, "1", "112=all|");
    desk.elapsed_ms += 2;
    let answer = client.next(&mut desk);
    assert_eq!(number(&answer, "34"), behind + 1, "{answer}");
    assert_eq!(desk.acceptor.counts().slow_readers, 0);
}

#[test]
fn who_does_not_read_is_logged_out() {
    let (mut desk, mut client) = subscribed();
    values(&mut desk, &mut client);
    client.send(&desk, "2", "7=1|16=0|");
    let mut waiting = 0;
    while desk.acceptor.counts().slow_readers == 0 {
        desk.elapsed_ms += 2;
        assert!(desk.elapsed_ms < 60_000, "never logged out");
        desk.duty();
        waiting = waiting.max(desk.acceptor.counts().bytes_waiting as usize);
        // What the system keeps for the reader has an end, but nobody knows where.
        if desk.elapsed_ms.is_multiple_of(1_000) {
            client.send(&desk, "2", "7=1|16=0|");
        }
    }
    assert!(waiting > 0 && waiting < CONFLATE, "{waiting} bytes wait");
    assert_eq!(desk.acceptor.sessions(), 0);
}

#[test]
fn nothing_is_owed_once_numbers_start_again() {
    let (mut desk, mut client) = subscribed();
    values(&mut desk, &mut client);
    client.send(&desk, "2", "7=1|16=0|");
    client.next(&mut desk);
    client.next = 1;
    client.send(&desk, "A", "98=0|108=30|141=Y|");
    let mut message = client.next(&mut desk);
    while field(&message, "35") != Some("A") {
        assert_eq!(field(&message, "43"), Some("Y"), "{message}");
        desk.elapsed_ms += 2;
        message = client.next(&mut desk);
    }
    assert_eq!(number(&message, "34"), 1, "{message}");
    for _ in 0..100 {
        desk.elapsed_ms += 2;
        desk.duty();
    }
    client.send(&desk, "1", "112=new|");
    let answer = client.next(&mut desk);
    assert!(answer.contains("|112=new|"), "{answer}");
    assert_eq!(number(&answer, "34"), 2, "{answer}");
}
