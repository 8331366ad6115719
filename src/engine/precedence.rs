//! Which threads run first where there are fewer cores than threads.

/// Greatest real-time priority.
const HIGHEST: u8 = 99;
/// By how much a thread that comes last is nicer than others, and the nicest that there is.
#[cfg(target_os = "linux")]
const LATER: i32 = 10;
#[cfg(target_os = "linux")]
const LAST: i32 = 19;

/// When a thread runs, compared with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precedence {
    /// After others, and so do threads that it starts. It shares its thread with nobody.
    Last,
    /// As any thread.
    Equal,
    /// Before all others if a real-time priority is asked for: what it does not take in time is lost.
    First,
}

/// Whether there is such a real-time priority here.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(priority: Option<u8>) -> Result<(), String> {
    match priority {
        Some(priority) if !(1..=HIGHEST).contains(&priority) => Err(format!(
            "engine.real_time_priority = {priority}: there are 1 to {HIGHEST}; leave it out for none"
        )),
        Some(_) if cfg!(not(target_os = "linux")) => {
            Err("engine.real_time_priority: only Linux has it here; leave it out".to_owned())
        }
        _ => Ok(()),
    }
}

/// Gives the calling thread its place among others. Where the system refuses the last one, rows are the same.
///
/// # Errors
/// When the system refuses the real-time priority, with the remedy.
#[cfg(target_os = "linux")]
pub(super) fn take(place: Precedence, priority: Option<u8>) -> Result<(), String> {
    match (place, priority) {
        (Precedence::Last, _) => {
            let own = rustix::process::getpriority_process(None).unwrap_or(0);
            let later = (own + LATER).min(LAST);
            let _ = rustix::process::setpriority_process(None, later);
            Ok(())
        }
        (Precedence::First, Some(priority)) => before_all(priority),
        _ => Ok(()),
    }
}

/// On other systems niceness is that of the whole process, and [`check`] refuses priorities.
#[cfg(not(target_os = "linux"))]
pub(super) fn take(_: Precedence, _: Option<u8>) -> Result<(), String> {
    Ok(())
}

/// The calling thread runs whenever it can, before all that have no such priority or a lower one.
#[cfg(target_os = "linux")]
fn before_all(priority: u8) -> Result<(), String> {
    use thread_priority::{
        RealtimeThreadSchedulePolicy::Fifo, ThreadPriority, ThreadPriorityValue,
        ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
    };
    let refused = |reason: &dyn std::fmt::Display| {
        format!(
            "engine.real_time_priority = {priority}: {reason}; allow it (setcap cap_sys_nice+ep on the program, \
             ulimit -r {HIGHEST}, or LimitRTPRIO={HIGHEST} in systemd's unit) or leave it out"
        )
    };
    let value = ThreadPriorityValue::try_from(priority).map_err(|error| refused(&error))?;
    let asked = ThreadPriority::Crossplatform(value);
    let policy = ThreadSchedulePolicy::Realtime(Fifo);
    set_thread_priority_and_policy(thread_native_id(), asked, policy).map_err(|error| match error {
        thread_priority::Error::OS(code) => refused(&std::io::Error::from_raw_os_error(code)),
        other => refused(&other),
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_comes_last_is_alone_with_those_it_starts() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let before = niceness();
        let nicer = std::thread::spawn(move || {
            take(Precedence::Last, Some(1)).unwrap();
            (niceness(), std::thread::spawn(niceness).join().unwrap())
        });
        let later = (before + LATER).min(LAST);
        assert_eq!(nicer.join().unwrap(), (later, later));
        assert_eq!(niceness(), before);
    }

    #[test]
    fn a_thread_that_comes_first_has_the_priority_or_says_how_to_get_it() {
        use thread_priority::{RealtimeThreadSchedulePolicy, ThreadSchedulePolicy};
        let policy = || thread_priority::thread_schedule_policy().unwrap();
        let before = policy();
        let first = std::thread::spawn(move || (take(Precedence::First, Some(1)), policy()));
        match first.join().unwrap() {
            (Ok(()), after) => assert_eq!(
                after,
                ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo)
            ),
            (Err(told), after) => {
                assert!(told.contains("Operation not permitted") && told.contains("ulimit -r 99"));
                assert_eq!(after, before);
            }
        }
        let equal = std::thread::spawn(move || (take(Precedence::Equal, Some(1)), policy()));
        assert_eq!(equal.join().unwrap(), (Ok(()), before));
    }

    #[test]
    fn priorities_are_1_to_99() {
        for (priority, fits) in [(0, false), (1, true), (99, true), (100, false)] {
            assert_eq!(check(Some(priority)).is_ok(), fits, "{priority}");
        }
        assert_eq!(check(None), Ok(()));
    }
}
