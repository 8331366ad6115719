//! The session protocol, scenario by scenario, and against hostile input.

use proptest::prelude::*;

use super::AcceptorOptions;
use super::script::{World, play, session};

const LOGON: &str = "< A|34=1|98=0|108=30
                     > A|34=1|98=0|108=30";

#[test]
fn first_message() {
    let cases = [
        ("heartbeat first", "< 0|34=1", "NoLogon"),
        ("other version", "< A|8=FIX.4.3|34=1|98=0|108=30", "NoLogon"),
        ("other target", "< A|34=1|56=OTHER|98=0|108=30", "NoLogon"),
        ("late", "< A|34=1|52-121|98=0|108=30", "NoLogon"),
        ("early", "< A|34=1|52+121|98=0|108=30", "NoLogon"),
        ("no number", "< A|98=0|108=30", "NoLogon"),
        ("garbled", "~ 8=FIX.4.4|9=5|35=A|10=000|", "NoLogon"),
        ("strange", "~ GET / HTTP/1.1|", "NoLogon"),
        ("in time", "+9999", "Open"),
        ("no logon", "+10000", "NoLogon"),
        (
            "just right",
            "< A|34=1|52-120|98=0|108=0
             > A|34=1|98=0|108=0",
            "Open",
        ),
        (
            "encrypted",
            "< A|34=1|98=1|108=30
             > 5|34=1",
            "NoLogon",
        ),
        (
            "no interval",
            "< A|34=1|98=0
             > 5|34=1",
            "NoLogon",
        ),
        (
            "too long an interval",
            "< A|34=1|98=0|108=86401
             > 5|34=1",
            "NoLogon",
        ),
        (
            "too high",
            "< A|34=5|98=0|108=30
             > A|34=1|98=0|108=30
             > 2|34=2|7=1|16=0",
            "Open",
        ),
        (
            "reset",
            "< A|34=1|98=0|108=30|141=Y
             > A|34=1|98=0|108=30|141=Y",
            "Open",
        ),
    ];
    for (name, script, end) in cases {
        play(&mut World::new(), name, &format!("{script}\n! {end}"));
    }
}

#[test]
fn names_that_were_not_invited() {
    let options = AcceptorOptions {
        target_comp_ids: vec!["FRIEND".to_owned()],
        ..AcceptorOptions::default()
    };
    let mut world = World::new();
    world.session = session(options);
    play(&mut world, "stranger", "< A|34=1|98=0|108=30\n! NoLogon");
}

#[test]
fn keeping_alive() {
    let script = format!(
        "{LOGON}
         +29999
         +1
         > 0|34=2
         < 1|34=2|112=are you there
         > 0|34=3|112=are you there
         +30000
         > 0|34=4
         +5999
         +1
         > 1|34=5|112=5
         +35999
         > 0|34=6
         +1
         ! Silent"
    );
    play(&mut World::new(), "silence", &script);
    let script = format!(
        "{LOGON}
         +36000
         > 1|34=2|112=2
         +30000
         > 0|34=3
         < 0|34=2|112=2
         +35999
         > 0|34=4
         +1
         > 1|34=5|112=5
         ! Open"
    );
    play(&mut World::new(), "answered in time", &script);
}

#[test]
fn order() {
    let cases = [
        ("too low", "< 0|34=1\n > 5|34=2\n ! Fault"),
        ("low, but a duplicate", "< 0|34=1|43=Y|122-120|\n ! Open"),
        (
            "one request for a gap, what waited is served in order",
            "< 1|34=4|112=b
             > 2|34=2|7=2|16=0
             < 1|34=5|112=c
             < 1|34=2|43=Y|122-120|112=a
             > 0|34=3|112=a
             < 4|34=3|43=Y|123=Y|36=4
             > 0|34=4|112=b
             > 0|34=5|112=c
             < 1|34=5|43=Y|122-120|112=c
             < 0|34=7
             > 2|34=6|7=6|16=0
             ! Open",
        ),
        (
            "resend requests are filled",
            "< 1|34=2|112=x
             > 0|34=2|112=x
             < 2|34=3|7=1|16=0
             > 4|34=1|43=Y|123=Y|36=3
             < 2|34=4|7=1|16=1
             > 4|34=1|43=Y|123=Y|36=2
             < 2|34=5|7=2|16=99
             > 4|34=2|43=Y|123=Y|36=3
             < 2|34=6|7=3|16=0
             < 2|34=7|7=0|16=0
             > 3|34=3|45=7|371=7|372=2|373=5
             < 2|34=8|7=2|16=1
             > 3|34=4|45=8|371=16|372=2|373=5
             < 2|34=11|7=4|16=0
             > 4|34=4|43=Y|123=Y|36=5
             > 2|34=5|7=9|16=0
             ! Open",
        ),
        (
            "resets go forwards only, whatever their number",
            "< 4|34=77|36=10
             < 1|34=10|112=x
             > 0|34=2|112=x
             < 4|34=1|36=11
             < 4|34=11|36=10
             > 3|34=3|45=11|372=4|373=5
             < 0|34=11
             < 4|34=12|123=Y|36=12
             > 3|34=4|45=12|372=4|373=5
             < 4|34=2|123=Y|36=30
             > 5|34=5
             ! Fault",
        ),
        (
            "a logon that resets",
            "< 0|34=2
             < A|34=1|98=0|108=10|141=Y
             > A|34=1|98=0|108=10|141=Y
             < 0|34=2
             < A|34=3|98=0|108=10
             > 3|34=2|45=3|372=A|373=99
             ! Open",
        ),
    ];
    for (name, script) in cases {
        play(&mut World::new(), name, &format!("{LOGON}\n{script}"));
    }
}

#[test]
fn faults() {
    let cases = [
        ("no number", "< 0\n > 5|34=2\n ! Fault"),
        ("other version", "< 0|8=FIX.4.2|34=2\n > 5|34=2\n ! Fault"),
        (
            "wrong sender",
            "< 0|34=2|49=OTHER\n > 3|34=2|45=2|372=0|373=9\n > 5|34=3\n ! Fault",
        ),
        (
            "late",
            "< 0|34=2|52-121|\n > 3|34=2|45=2|372=0|373=10\n > 5|34=3\n ! Fault",
        ),
        (
            "a duplicate without its first time",
            "< 0|34=2|43=Y\n > 3|34=2|45=2|371=122|372=0|373=1\n < 0|34=3\n ! Open",
        ),
        (
            "a duplicate from the future",
            "< 0|34=2|43=Y|122+120|\n > 3|34=2|45=2|372=0|373=10\n > 5|34=3\n ! Fault",
        ),
        (
            "garbled messages use no number",
            "~ 8=FIX.4.4|9=10|35=0|34=2|10=000|
             < 1|34=2|112=x
             > 0|34=2|112=x
             ! Open",
        ),
        (
            "what cannot be read is rejected and uses its number",
            "< 1|34=2
             > 3|34=2|45=2|371=112|372=1|373=1
             < 2|34=3|7=x|16=0
             > 3|34=3|45=3|371=7|372=2|373=6
             < 0|34=4|5000=x
             > 3|34=4|45=4|371=5000|372=0|373=0
             < zz|34=5
             > 3|34=5|45=5|372=zz|373=11
             ! Open",
        ),
        (
            "orders are not served, and the answer finds its way back",
            "< D|34=2|115=DESK|129=SUB|11=1
             > j|34=2|129=SUB|45=2|372=D|380=3
             ! Open",
        ),
        (
            "served",
            "< V|34=2|262=R|263=1|264=1|267=1|269=9|146=1|55=A\n > W|34=2|262=R\n ! Open",
        ),
        ("goodbye", "< 5|34=2\n > 5|34=2\n ! LoggedOut"),
        ("goodbye beyond a gap", "< 5|34=9\n > 5|34=2\n ! LoggedOut"),
    ];
    for (name, script) in cases {
        let script = script.replace("129=SUB|45", "128=DESK|116=SUB|45");
        play(&mut World::new(), name, &format!("{LOGON}\n{script}"));
    }
}

#[test]
fn numbers_go_on_after_a_new_connection() {
    let mut world = World::new();
    let first = format!("{LOGON}\n< 5|34=2\n> 5|34=2\n! LoggedOut");
    play(&mut world, "first", &first);
    world.session = session(AcceptorOptions::default());
    world.end = None;
    let second = "< A|34=3|98=0|108=30\n> A|34=3|98=0|108=30\n! Open";
    play(&mut world, "second", second);
    world.session = session(AcceptorOptions::default());
    let third = "< A|34=4|98=0|108=30\n! NoLogon";
    play(&mut world, "while the second lives", third);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_messages(
        lines in prop::collection::vec(
            (
                prop::sample::select(vec!["0", "1", "2", "3", "4", "5", "A", "V", "D", "zz"]),
                prop_oneof![Just(0_u64), 1_u64..40, any::<u64>()],
                prop::collection::vec(
                    (
                        prop::sample::select(vec![
                            7, 16, 36, 43, 55, 98, 108, 112, 122, 123, 141, 146, 262, 263, 267, 269,
                        ]),
                        prop_oneof![Just("Y".to_owned()), Just("1".to_owned()), "[ -~]{0,12}", "[0-9]{1,20}"],
                    ),
                    0..5,
                ),
            ),
            1..60,
        ),
    ) {
        let mut world = World::new();
        play(&mut world, "logon", LOGON);
        let mut received = 0;
        for (msg_type, sequence, fields) in lines {
            let mut line = format!("{msg_type}|34={sequence}");
            for (tag, value) in fields {
                line.push_str(&format!("|{tag}={value}"));
            }
            let bytes = world.complete(&line);
            received += bytes.len();
            world.feed(&bytes);
            prop_assert!(world.session.queue.len() <= 256);
            let queued: usize = world.session.queue.values().map(|fields| fields.len()).sum();
            prop_assert_eq!(queued, world.session.queue_bytes);
        }
        prop_assert!(world.out.len() <= received * 8 + 1000);
        while world.sent().is_some() {}
        prop_assert!(world.out.is_empty(), "every answer is a whole message");
    }
}
