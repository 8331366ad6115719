//! When to ask a re-request server for what is missing.
//!
//! A hole is asked for once it is `first_delay_ns` old, so that the other line can fill it first,
//! then every `retry_interval_ns` until `max_tries`. An answer is one packet and may hold fewer
//! messages than were asked for, so a hole whose beginning has been filled is asked for again at
//! once, with its tries renewed. The answers are ordinary packets, to be given to the sequencer with
//! line [`RETRANSMISSION`](super::RETRANSMISSION); a hole that the sequencer gives up is forgotten.

use super::holes::Hole;
use super::options::RerequestOptions;
use crate::wire::moldudp64::{MAX_REQUEST_COUNT, Request, SessionId};

/// What has been asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RerequestCounts {
    /// Requests.
    pub requests: u64,
    /// Requests among them that repeat one that brought nothing.
    pub retries: u64,
    /// Messages asked for, repeats included.
    pub messages: u64,
    /// Holes that were asked for in vain as often as allowed.
    pub abandoned: u64,
}

/// Turns open holes into requests.
#[derive(Debug)]
pub struct Rerequester {
    options: RerequestOptions,
    session: Option<SessionId>,
    asked: Vec<Asked>,
    kept: Vec<Asked>,
    counts: RerequestCounts,
}

/// A hole that has been asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    first: u64,
    next: u64,
    at_ns: u64,
    tries: u32,
    abandoned: bool,
}

impl Rerequester {
    /// A re-requester that has asked for nothing yet.
    #[must_use]
    pub fn new(options: RerequestOptions) -> Self {
        Self {
            asked: Vec::with_capacity(options.max_holes.min(1024)),
            kept: Vec::with_capacity(options.max_holes.min(1024)),
            options,
            session: None,
            counts: RerequestCounts::default(),
        }
    }

    /// Appends the requests that are due at `now_ns`, given the session and its open holes, sorted
    /// (see [`Sequencer::holes`](super::Sequencer::holes)). To be called whenever time passes, also
    /// without holes, so that filled ones are forgotten.
    pub fn poll(
        &mut self,
        session: SessionId,
        holes: impl Iterator<Item = Hole>,
        now_ns: u64,
        requests: &mut Vec<Request>,
    ) {
        if self.session != Some(session) {
            self.session = Some(session);
            self.asked.clear();
        }
        self.kept.clear();
        let delay = self.options.first_delay_ns;
        let due = holes
            .take(self.options.max_holes)
            .filter(|hole| now_ns.saturating_sub(hole.since_ns) >= delay);
        for hole in due {
            let earlier = self
                .asked
                .iter()
                .find(|asked| asked.first < hole.next_sequence && hole.first_sequence < asked.next);
            let fresh = Asked {
                first: hole.first_sequence,
                next: hole.next_sequence,
                at_ns: now_ns,
                tries: 0,
                abandoned: false,
            };
            let mut asked = match earlier {
                Some(earlier) if earlier.first == hole.first_sequence => Asked {
                    next: hole.next_sequence,
                    ..*earlier
                },
                _ => fresh,
            };
            let silence = now_ns.saturating_sub(asked.at_ns);
            if asked.tries == 0 || silence >= self.options.retry_interval_ns {
                ask(
                    &mut asked,
                    session,
                    now_ns,
                    &self.options,
                    &mut self.counts,
                    requests,
                );
            }
            self.kept.push(asked);
        }
        std::mem::swap(&mut self.asked, &mut self.kept);
    }

    /// What has been asked for so far.
    #[must_use]
    pub fn counts(&self) -> RerequestCounts {
        self.counts
    }
}

/// Asks for the beginning of a hole, or abandons it when it has been asked for often enough.
fn ask(
    asked: &mut Asked,
    session: SessionId,
    now_ns: u64,
    options: &RerequestOptions,
    counts: &mut RerequestCounts,
    requests: &mut Vec<Request>,
) {
    if asked.tries >= options.max_tries {
        if !asked.abandoned {
            asked.abandoned = true;
            counts.abandoned += 1;
        }
        return;
    }
    let most = options.max_messages.clamp(1, MAX_REQUEST_COUNT);
    let count = u16::try_from(asked.next - asked.first).map_or(most, |count| count.min(most));
    counts.requests += 1;
    counts.retries += u64::from(asked.tries > 0);
    counts.messages += u64::from(count);
    asked.tries += 1;
    asked.at_ns = now_ns;
    requests.push(Request {
        session,
        first: asked.first,
        count,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = *b"S         ";

    fn rerequester() -> Rerequester {
        Rerequester::new(RerequestOptions {
            first_delay_ns: 10,
            retry_interval_ns: 100,
            max_tries: 2,
            max_messages: 50,
            max_holes: 2,
        })
    }

    /// Polls with holes `(first, next, since)` and returns `(first, count)` of the requests.
    fn poll(asker: &mut Rerequester, holes: &[(u64, u64, u64)], now_ns: u64) -> Vec<(u64, u16)> {
        let holes = holes
            .iter()
            .map(|&(first_sequence, next_sequence, since_ns)| Hole {
                first_sequence,
                next_sequence,
                since_ns,
            });
        let mut requests = Vec::new();
        asker.poll(SESSION, holes, now_ns, &mut requests);
        requests
            .iter()
            .map(|request| (request.first, request.count))
            .collect()
    }

    #[test]
    fn delay_retry_and_abandonment_on_both_sides_of_their_times() {
        let mut asker = rerequester();
        let hole = [(5, 8, 1_000)];
        assert_eq!(poll(&mut asker, &hole, 1_009), []);
        assert_eq!(poll(&mut asker, &hole, 1_010), [(5, 3)]);
        assert_eq!(poll(&mut asker, &hole, 1_109), []);
        assert_eq!(poll(&mut asker, &hole, 1_110), [(5, 3)]);
        assert_eq!(poll(&mut asker, &hole, 1_209), []);
        assert_eq!(asker.counts().abandoned, 0);
        assert_eq!(poll(&mut asker, &hole, 1_210), []);
        assert_eq!(poll(&mut asker, &hole, 9_000), []);
        assert_eq!(
            asker.counts(),
            RerequestCounts {
                requests: 2,
                retries: 1,
                messages: 6,
                abandoned: 1
            }
        );
    }

    #[test]
    fn progress_asks_for_the_rest_at_once() {
        let mut asker = rerequester();
        assert_eq!(poll(&mut asker, &[(1, 201, 0)], 10), [(1, 50)]);
        assert_eq!(poll(&mut asker, &[(1, 201, 0)], 11), []);
        assert_eq!(poll(&mut asker, &[(31, 201, 0)], 12), [(31, 50)]);
        assert_eq!(poll(&mut asker, &[(31, 201, 0)], 111), []);
        assert_eq!(poll(&mut asker, &[(31, 201, 0)], 112), [(31, 50)]);
        assert_eq!(
            poll(&mut asker, &[(31, 60, 0), (70, 100_000, 0)], 113),
            [(70, 50)]
        );
        assert_eq!(poll(&mut asker, &[], 114), []);
        assert_eq!(
            poll(&mut asker, &[(31, 60, 0)], 115),
            [(31, 29)],
            "a hole once filled is new"
        );
    }

    #[test]
    fn few_holes_at_a_time_and_a_new_session_starts_afresh() {
        let mut asker = rerequester();
        let holes = [(1, 2, 0), (3, 4, 0), (5, 6, 0)];
        assert_eq!(poll(&mut asker, &holes, 10), [(1, 1), (3, 1)]);
        assert_eq!(poll(&mut asker, &holes[1..], 11), [(5, 1)]);
        let mut requests = Vec::new();
        let hole = Hole {
            first_sequence: 3,
            next_sequence: u64::MAX,
            since_ns: 0,
        };
        asker.poll([b'T'; 10], std::iter::once(hole), 12, &mut requests);
        assert_eq!(
            requests,
            [Request {
                session: [b'T'; 10],
                first: 3,
                count: 50
            }]
        );
    }
}
