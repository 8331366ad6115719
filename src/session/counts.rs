//! What a sequencer has seen and done.

use crate::wire::moldudp64::MoldError;

/// The line number of packets that a re-request server sent.
pub const RETRANSMISSION: u8 = 255;

/// Packets of one line. Every packet is counted in `packets` and once more elsewhere: here, or in
/// the totals of [`SequencerCounts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// MoldUDP64 packets, of whatever kind.
    pub packets: u64,
    /// Packets that brought at least one message that was still wanted.
    pub used: u64,
    /// Packets all of whose messages were there, or declared lost, already.
    pub duplicates: u64,
}

/// Packets refused, by reason (see [`MoldError`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MalformedCounts {
    /// Shorter than a header.
    pub too_short: u64,
    /// Sequence number 0.
    pub sequence_zero: u64,
    /// A request that was echoed.
    pub echoed_requests: u64,
    /// An end of session with bytes behind its header.
    pub ends_with_payload: u64,
    /// Fewer blocks than promised.
    pub too_few_blocks: u64,
    /// A block cut short.
    pub blocks_cut: u64,
    /// Bytes behind the last block.
    pub trailing_bytes: u64,
    /// No number left after the last message.
    pub sequence_overflows: u64,
}

/// What a sequencer has seen and done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequencerCounts {
    /// Lines A, B, any other, and retransmissions; [`SequencerCounts::line`] finds one.
    pub lines: [LineCounts; 4],
    /// Packets of blocks from files, passed through.
    pub blocks: u64,
    /// Messages delivered out of MoldUDP64 packets.
    pub messages: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// End-of-session packets.
    pub ends: u64,
    /// Packets of another session than the current one.
    pub foreign: u64,
    /// Packets that claim a message past the delivered end of their session.
    pub after_end: u64,
    /// Packets refused.
    pub malformed: MalformedCounts,
    /// Sessions begun.
    pub sessions: u64,
    /// Gaps declared.
    pub gaps: u64,
    /// Gaps among them that were declared before their time because too many packets were held.
    pub forced_gaps: u64,
    /// Messages declared lost.
    pub lost_messages: u64,
    /// Messages that a retransmission brought first.
    pub recovered_messages: u64,
    /// The most packets that were held at a time.
    pub held_high_water: u64,
    /// Packets among the used ones whose messages, held, turned out to be in others as well.
    pub superseded: u64,
}

impl SequencerCounts {
    /// The counts of the packets whose line is `line`: 0 is A, 1 is B, [`RETRANSMISSION`] the
    /// re-request server; all others share one set.
    #[must_use]
    pub fn line(&self, line: u8) -> &LineCounts {
        &self.lines[slot(line)]
    }

    pub(super) fn line_mut(&mut self, line: u8) -> &mut LineCounts {
        &mut self.lines[slot(line)]
    }
}

fn slot(line: u8) -> usize {
    match line {
        0 => 0,
        1 => 1,
        RETRANSMISSION => 3,
        _ => 2,
    }
}

impl MalformedCounts {
    /// All of them together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.too_short
            + self.sequence_zero
            + self.echoed_requests
            + self.ends_with_payload
            + self.too_few_blocks
            + self.blocks_cut
            + self.trailing_bytes
            + self.sequence_overflows
    }

    pub(super) fn record(&mut self, error: MoldError) {
        let count = match error {
            MoldError::TooShort { .. } => &mut self.too_short,
            MoldError::SequenceZero => &mut self.sequence_zero,
            MoldError::EchoedRequest { .. } => &mut self.echoed_requests,
            MoldError::EndWithPayload { .. } => &mut self.ends_with_payload,
            MoldError::TooFewBlocks { .. } => &mut self.too_few_blocks,
            MoldError::BlockCut { .. } => &mut self.blocks_cut,
            MoldError::TrailingBytes { .. } => &mut self.trailing_bytes,
            MoldError::SequenceOverflow { .. } => &mut self.sequence_overflows,
        };
        *count += 1;
    }
}
