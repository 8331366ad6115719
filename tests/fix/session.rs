//! Sessions over TCP: logon to logout, and what closes a connection.

use std::net::SocketAddr;

use widetape::publish::Publisher;
use widetape::publish::fix::{Acceptor, AcceptorOptions, FixError, StoreError, StoreOptions};

use super::client::{Desk, START_TEXT, framed};

#[test]
fn logon_heartbeat_and_logout_to_the_letter() {
    let mut desk = Desk::new(|_| {});
    let mut client = desk.connect("ME");
    client.send(&desk, "A", "98=0|108=30|");
    let header = |msg_type, sequence, time| {
        format!("|35={msg_type}|49=WIDETAPE|56=ME|34={sequence}|52={time}|")
    };
    let logon = client.next(&mut desk);
    let expected = header("A", 1, START_TEXT) + "98=0|108=30|10=";
    assert!(logon.contains(&expected), "{logon}");
    assert_eq!(desk.acceptor.sessions(), 1);

    client.send(&desk, "1", "112=ping|");
    let heartbeat = client.next(&mut desk);
    let expected = header("0", 2, START_TEXT) + "112=ping|10=";
    assert!(heartbeat.contains(&expected), "{heartbeat}");

    desk.elapsed_ms = 30_000;
    let idle = client.next(&mut desk);
    let expected = header("0", 3, "20200130-14:30:30.000") + "10=";
    assert!(idle.contains(&expected), "{idle}");

    desk.elapsed_ms = 36_000;
    let probe = client.next(&mut desk);
    assert!(
        probe.contains("|35=1|") && probe.contains("|112=4|"),
        "{probe}"
    );
    client.send(&desk, "0", "112=4|");

    client.send(&desk, "5", "");
    let goodbye = client.next(&mut desk);
    assert!(
        goodbye.contains("|35=5|") && goodbye.contains("|34=5|"),
        "{goodbye}"
    );
    client.closed(&mut desk);
    drop(client);
    desk.until(|acceptor| acceptor.connections() == 0);
    let counts = desk.acceptor.counts();
    assert_eq!(
        (counts.connections, counts.logons, counts.disconnects),
        (1, 1, 1)
    );
    assert_eq!((counts.messages_received, counts.messages_sent), (4, 5));
}

#[test]
fn numbers_go_on_after_a_reconnect() {
    let mut desk = Desk::new(|_| {});
    let mut client = desk.log_on("ME");
    client.send(&desk, "1", "112=x|");
    client.next(&mut desk);
    drop(client);
    desk.until(|acceptor| acceptor.connections() == 0);

    let mut client = desk.connect("ME");
    client.next = 4;
    client.send(&desk, "A", "98=0|108=30|");
    assert!(
        client
            .next(&mut desk)
            .contains("|35=A|49=WIDETAPE|56=ME|34=3|")
    );
    let resend = client.next(&mut desk);
    assert!(
        resend.contains("|35=2|") && resend.contains("|7=3|16=0|"),
        "{resend}"
    );
    client.next = 3;
    client.send(&desk, "4", "123=Y|36=5|");
    client.next = 5;
    client.send(&desk, "2", "7=1|16=0|");
    let fill = client.next(&mut desk);
    let expected = format!("|34=1|52={START_TEXT}|43=Y|122={START_TEXT}|123=Y|36=5|");
    assert!(
        fill.contains("|35=4|") && fill.contains(&expected),
        "{fill}"
    );

    client.next = 2;
    client.send(&desk, "0", "");
    let goodbye = client.next(&mut desk);
    let reason = "|58=MsgSeqNum too low, expecting 6 but received 2|";
    assert!(
        goodbye.contains("|35=5|") && goodbye.contains(reason),
        "{goodbye}"
    );
    client.closed(&mut desk);
}

#[test]
fn strangers_are_closed_without_a_word() {
    let time = format!("52={START_TEXT}|");
    let logon = |names: &str, time: &str| {
        framed("FIX.4.4", &format!("35=A|{names}34=1|{time}98=0|108=30|"))
    };
    let names = "49=FRIEND|56=WIDETAPE|";
    let mut bad_sum = logon(names, &time);
    let last = bad_sum.len() - 2;
    bad_sum[last] = if bad_sum[last] == b'0' { b'1' } else { b'0' };
    let first = [
        logon("49=STRANGER|56=WIDETAPE|", &time),
        logon("49=FRIEND|56=OTHER|", &time),
        logon(names, "52=20200130-14:32:00.001|"),
        logon(names, ""),
        framed("FIX.4.3", &format!("35=A|{names}34=1|{time}98=0|108=30|")),
        framed("FIX.4.4", &format!("35=0|{names}34=1|{time}")),
        bad_sum,
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        Vec::new(),
    ];
    let strangers = first.len() as u64;
    let mut desk = Desk::new(|options| options.target_comp_ids = vec!["FRIEND".to_owned()]);
    for bytes in first {
        let mut client = desk.connect("X");
        client.send_bytes(&bytes);
        if bytes.is_empty() {
            desk.until(|acceptor| acceptor.connections() == 1);
            desk.elapsed_ms += 10_000;
        }
        client.closed(&mut desk);
        drop(client);
        desk.until(|acceptor| acceptor.connections() == 0);
    }
    let counts = desk.acceptor.counts();
    assert_eq!((counts.logons, counts.logons_refused), (0, strangers));
    assert_eq!(counts.bytes_written, 0);

    desk.elapsed_ms = 0;
    let mut friend = desk.connect("FRIEND");
    friend.send_bytes(&logon(names, "52=20200130-14:32:00.000|"));
    assert!(friend.next(&mut desk).contains("|35=A|"));
}

#[test]
fn a_second_logon_is_closed_and_the_first_lives() {
    let mut desk = Desk::new(|_| {});
    let mut first = desk.log_on("ME");
    let mut second = desk.connect("ME");
    second.send(&desk, "A", "98=0|108=30|");
    second.closed(&mut desk);
    first.send(&desk, "1", "112=still here|");
    assert!(first.next(&mut desk).contains("|112=still here|"));
}

#[test]
fn limits_hold_on_both_sides() {
    let mut desk = Desk::new(|options| {
        options.max_sessions = 1;
        options.max_message_bytes = 512;
    });
    let mut client = desk.log_on("ME");
    let mut refused = desk.connect("OTHER");
    refused.closed(&mut desk);
    assert_eq!(desk.acceptor.counts().connections_refused, 1);

    let header = format!("35=1|49=ME|56=WIDETAPE|34=2|52={START_TEXT}|112=");
    let longest = "x".repeat(512 - header.len() - 1);
    client.send_bytes(&framed("FIX.4.4", &format!("{header}x{longest}|")));
    client.send_bytes(&framed("FIX.4.4", &format!("{header}{longest}|")));
    assert!(client.next(&mut desk).contains(&format!("|112={longest}|")));
    assert_eq!(
        desk.acceptor.counts().garbled,
        1,
        "one byte more is not read"
    );
}

#[test]
fn finish_says_goodbye_to_all() {
    let mut desk = Desk::new(|options| options.linger_ms = 5_000);
    let mut polite = desk.log_on("POLITE");
    let mut silent = desk.connect("SILENT");
    desk.until(|acceptor| acceptor.connections() == 2);
    polite.send(&desk, "5", "");
    let heard = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            (
                polite.rest(std::thread::yield_now),
                silent.rest(std::thread::yield_now),
            )
        });
        desk.acceptor.finish().unwrap();
        assert_eq!(desk.acceptor.connections(), 0);
        reader.join().unwrap()
    });
    assert_eq!(heard.0.len(), 1);
    assert!(heard.0[0].contains("|35=5|") && heard.0[0].contains("|58=end of session|"));
    assert!(heard.1.is_empty());
}

#[test]
fn an_acceptor_can_move_to_its_thread() {
    fn is_send<T: Send>() {}
    is_send::<Acceptor>();
}

#[test]
fn beyond_loopback_only_if_plain_text_is_wanted() {
    let options = |listen: &str, plain_text| AcceptorOptions {
        listen: listen.parse().unwrap(),
        plain_text,
        ..AcceptorOptions::default()
    };
    let error = Acceptor::bind(options("0.0.0.0:0", false), Vec::new()).unwrap_err();
    assert!(matches!(error, FixError::PlainText { .. }), "{error}");
    assert!(error.to_string().contains("plain_text = true"), "{error}");
    for (listen, plain_text) in [("0.0.0.0:0", true), ("127.0.0.2:0", false)] {
        assert!(Acceptor::bind(options(listen, plain_text), Vec::new()).is_ok());
    }
}

#[test]
fn an_address_in_use_is_named_with_a_remedy() {
    let desk = Desk::new(|_| {});
    let listen = desk.acceptor.local_address().unwrap();
    let options = AcceptorOptions {
        listen,
        ..AcceptorOptions::default()
    };
    let error = Acceptor::bind(options, Vec::new()).unwrap_err();
    assert!(matches!(error, FixError::AddressInUse { address } if address == listen));
    let text = error.to_string();
    assert!(
        text.contains(&listen.to_string()) && text.contains("--fix"),
        "{text}"
    );

    let options = AcceptorOptions {
        listen: SocketAddr::from(([192, 0, 2, 1], 9)),
        plain_text: true,
        ..AcceptorOptions::default()
    };
    let error = Acceptor::bind(options, Vec::new()).unwrap_err();
    assert!(matches!(error, FixError::Listen { .. }), "{error}");
}

#[test]
fn a_second_start_leaves_the_store_of_the_first_alone() {
    let name = format!("widetape-{}-second-start", std::process::id());
    let file = std::env::temp_dir().join(name);
    let store = || StoreOptions {
        file: Some(file.clone()),
        messages: 0,
    };
    let desk = Desk::new(|options| options.store = store());
    let before = std::fs::metadata(&file).unwrap().modified().unwrap();
    let options = |listen| AcceptorOptions {
        listen,
        store: store(),
        ..AcceptorOptions::default()
    };
    let listen = desk.acceptor.local_address().unwrap();
    let error = Acceptor::bind(options(listen), Vec::new()).unwrap_err();
    assert!(matches!(error, FixError::AddressInUse { .. }), "{error}");
    let elsewhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let error = Acceptor::bind(options(elsewhere), Vec::new()).unwrap_err();
    let in_use = |error: &FixError| matches!(error, FixError::Store(StoreError::InUse { .. }));
    assert!(in_use(&error), "{error}");
    let after = std::fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(before, after, "the file was not written");
    drop(desk);
    assert!(Acceptor::bind(options(elsewhere), Vec::new()).is_ok());
    std::fs::remove_file(file.with_added_extension("lock")).unwrap();
    std::fs::remove_file(&file).unwrap();
}
