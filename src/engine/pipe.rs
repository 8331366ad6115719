//! Bounded channels whose values travel both ways: full ones forwards, used ones back to be filled
//! again, so that hand-offs allocate nothing in steady state.

use std::time::Duration;

use crossbeam_channel::{
    Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, TrySendError,
};

/// The end that fills values.
pub(super) struct Outlet<T> {
    forward: Sender<T>,
    used: Receiver<T>,
    /// A value that found the pipe full.
    waiting: Option<T>,
    /// Values to fill; what was used last is on top, as it may still be in a cache.
    spare: Vec<T>,
}

/// The end that uses them.
pub(super) struct Inlet<T> {
    forward: Receiver<T>,
    used: Sender<T>,
    /// A value that arrived while waiting.
    arrived: Option<T>,
}

/// What an inlet holds now.
pub(super) enum Received<T> {
    Value(T),
    Empty,
    /// The other end is gone and everything it sent has been taken.
    Closed,
}

/// What became of a value that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It is on its way.
    Done,
    /// The pipe is full; the outlet keeps the value and [`Outlet::retry`] sends it.
    Waiting,
    /// Nobody will ever take it.
    Closed,
}

/// A pipe that holds at most `capacity` values.
pub(super) fn pipe<T>(capacity: usize) -> (Outlet<T>, Inlet<T>) {
    let (forward_in, forward_out) = crossbeam_channel::bounded(capacity);
    let (used_in, used_out) = crossbeam_channel::bounded(capacity + 2);
    (
        Outlet {
            forward: forward_in,
            used: used_out,
            waiting: None,
            spare: Vec::with_capacity(capacity + 2),
        },
        Inlet {
            forward: forward_out,
            used: used_in,
            arrived: None,
        },
    )
}

impl<T: Default> Outlet<T> {
    /// A value to fill: the one that was used last, else a new one.
    pub(super) fn take(&mut self) -> T {
        self.spare.extend(self.used.try_iter());
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps a value that was taken and is not sent, for the next [`Outlet::take`].
    pub(super) fn keep(&mut self, value: T) {
        self.spare.push(value);
    }

    /// Sends a value without blocking. Must not be called while one is waiting.
    pub(super) fn send(&mut self, value: T) -> Sent {
        match self.forward.try_send(value) {
            Ok(()) => Sent::Done,
            Err(TrySendError::Full(value)) => {
                self.waiting = Some(value);
                Sent::Waiting
            }
            Err(TrySendError::Disconnected(_)) => Sent::Closed,
        }
    }

    /// Sends the value that is waiting, if any.
    pub(super) fn retry(&mut self) -> Sent {
        match self.waiting.take() {
            Some(value) => self.send(value),
            None => Sent::Done,
        }
    }

    /// Gives up the value that is waiting.
    pub(super) fn give_up(&mut self) -> Option<T> {
        self.waiting.take()
    }

    /// Whether a value is waiting.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Waits until the value that is waiting has been sent, or the time is over.
    pub(super) fn wait(&mut self, timeout: Duration) {
        if let Some(value) = self.waiting.take()
            && let Err(SendTimeoutError::Timeout(value)) = self.forward.send_timeout(value, timeout)
        {
            self.waiting = Some(value);
        }
    }
}

impl<T> Inlet<T> {
    /// The oldest value, if there is one.
    pub(super) fn receive(&mut self) -> Received<T> {
        if let Some(value) = self.arrived.take() {
            return Received::Value(value);
        }
        match self.forward.try_recv() {
            Ok(value) => Received::Value(value),
            Err(TryRecvError::Empty) => Received::Empty,
            Err(TryRecvError::Disconnected) => Received::Closed,
        }
    }

    /// Hands a used value back to be filled again.
    pub(super) fn give_back(&mut self, value: T) {
        // A full way back means that enough values are in circulation; this one is freed.
        drop(self.used.try_send(value));
    }

    /// Waits until a value is there, the other end is gone, or the time is over.
    pub(super) fn wait(&mut self, timeout: Duration) {
        if self.arrived.is_none() {
            match self.forward.recv_timeout(timeout) {
                Ok(value) => self.arrived = Some(value),
                Err(RecvTimeoutError::Timeout) => {}
                // Nothing will come: let the owner see that, without spinning on the way.
                Err(RecvTimeoutError::Disconnected) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pipe_keeps_the_value_and_a_closed_one_says_so() {
        let (mut outlet, mut inlet) = pipe::<Vec<u8>>(1);
        assert_eq!(outlet.send(vec![1]), Sent::Done);
        assert_eq!(outlet.send(vec![2]), Sent::Waiting);
        assert_eq!(outlet.retry(), Sent::Waiting);
        assert!(matches!(inlet.receive(), Received::Value(value) if value == [1]));
        assert_eq!(outlet.retry(), Sent::Done);
        inlet.wait(Duration::from_secs(1));
        assert!(matches!(inlet.receive(), Received::Value(value) if value == [2]));
        assert!(matches!(inlet.receive(), Received::Empty));
        inlet.give_back(Vec::with_capacity(77));
        assert_eq!(outlet.take().capacity(), 77);
        for capacity in [88, 99] {
            inlet.give_back(Vec::with_capacity(capacity));
        }
        assert_eq!(outlet.take().capacity(), 99, "the one that was used last");
        assert_eq!(outlet.take().capacity(), 88);
        drop(outlet);
        assert!(matches!(inlet.receive(), Received::Closed));
        let (mut outlet, inlet) = pipe::<Vec<u8>>(1);
        drop(inlet);
        assert_eq!(outlet.send(vec![]), Sent::Closed);
    }
}
