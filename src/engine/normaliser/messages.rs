//! What each kind of message does to the book and the batch.

use super::{MessageError, Normaliser, mark};
use crate::book::{BookError, Change, Oddity};
use crate::columns::{Batch, Mark};
use crate::market::{Learned, Locate, Price, Shares, Side, Symbol, Trade};
use crate::window::{ExecutionKind, Policy};
use crate::wire::itch50::{
    self, AddOrder, AddOrderWithAttribution, BrokenTrade, CrossTrade, Header, OrderCancel,
    OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace, StockDirectory,
};

impl Normaliser {
    /// Sets the time to that of the next message.
    #[inline(always)]
    pub(super) fn begin(&mut self, header: &Header, batch: &mut Batch) {
        self.pass(header.timestamp);
        batch.now = self.now;
        batch.started = true;
    }

    #[inline(always)]
    pub(super) fn add_order(
        &mut self,
        add: &AddOrder<'_>,
        batch: &mut Batch,
    ) -> Result<(), MessageError> {
        let order = (add.reference(), Shares(add.shares()), add.price());
        self.add(
            &add.header(),
            order,
            add.buy_sell_indicator(),
            add.stock(),
            batch,
        )
    }

    pub(super) fn add_attributed(
        &mut self,
        add: &AddOrderWithAttribution<'_>,
        batch: &mut Batch,
    ) -> Result<(), MessageError> {
        let order = (add.reference(), Shares(add.shares()), add.price());
        self.add(
            &add.header(),
            order,
            add.buy_sell_indicator(),
            add.stock(),
            batch,
        )
    }

    #[inline(always)]
    fn add(
        &mut self,
        header: &Header,
        (reference, shares, price): (u64, Shares, Price),
        indicator: u8,
        stock: Symbol,
        batch: &mut Batch,
    ) -> Result<(), MessageError> {
        let Some(side) = Side::from_indicator(indicator) else {
            self.counts.malformed += 1;
            return Err(MessageError::Side {
                reference,
                indicator,
            });
        };
        self.begin(header, batch);
        self.learn_new(header.locate, stock, batch);
        let outcome = self.book.add(reference, header.locate, side, shares, price);
        self.counts.orders_added += u64::from(outcome.is_ok());
        self.changed(outcome, batch);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn executed(&mut self, executed: &OrderExecuted<'_>, batch: &mut Batch) {
        let header = executed.header();
        self.begin(&header, batch);
        let shares = Shares(executed.executed_shares());
        let outcome = self
            .book
            .execute(executed.reference(), header.locate, shares);
        match self.changed(outcome, batch) {
            Some(price) => {
                let execution = (header.locate, price, shares, executed.match_number());
                self.trade(ExecutionKind::Executed, execution, batch);
            }
            None => self.flag(header.locate),
        }
    }

    /// An execution at a price of its own counts even if its order is unknown.
    pub(super) fn priced(&mut self, executed: &OrderExecutedWithPrice<'_>, batch: &mut Batch) {
        let header = executed.header();
        self.begin(&header, batch);
        let shares = Shares(executed.executed_shares());
        let outcome = self
            .book
            .execute(executed.reference(), header.locate, shares);
        self.changed(outcome, batch);
        if executed.printable() == b'Y' {
            let (price, number) = (executed.execution_price(), executed.match_number());
            let execution = (header.locate, price, shares, number);
            self.trade(ExecutionKind::ExecutedWithPrice, execution, batch);
        } else {
            self.counts.non_printable += 1;
        }
    }

    #[inline(always)]
    pub(super) fn cancel(&mut self, cancel: &OrderCancel<'_>, batch: &mut Batch) {
        let header = cancel.header();
        self.begin(&header, batch);
        let shares = Shares(cancel.cancelled_shares());
        let outcome = self.book.cancel(cancel.reference(), header.locate, shares);
        self.changed(outcome, batch);
    }

    #[inline(always)]
    pub(super) fn delete(&mut self, delete: &OrderDelete<'_>, batch: &mut Batch) {
        let header = delete.header();
        self.begin(&header, batch);
        let outcome = self.book.delete(delete.reference(), header.locate);
        self.changed(outcome, batch);
    }

    #[inline(always)]
    pub(super) fn replace(&mut self, replace: &OrderReplace<'_>, batch: &mut Batch) {
        let header = replace.header();
        self.begin(&header, batch);
        let outcome = self.book.replace(
            replace.original_reference(),
            replace.new_reference(),
            header.locate,
            Shares(replace.shares()),
            replace.price(),
        );
        self.changed(outcome, batch);
    }

    pub(super) fn non_displayed(&mut self, trade: &itch50::Trade<'_>, batch: &mut Batch) {
        let header = trade.header();
        self.begin(&header, batch);
        self.learn_new(header.locate, trade.stock(), batch);
        let (shares, number) = (Shares(trade.shares()), trade.match_number());
        let execution = (header.locate, trade.price(), shares, number);
        self.trade(ExecutionKind::NonDisplayed, execution, batch);
    }

    pub(super) fn cross(
        &mut self,
        cross: &CrossTrade<'_>,
        batch: &mut Batch,
    ) -> Result<(), MessageError> {
        let header = cross.header();
        let match_number = cross.match_number();
        let shares = Shares::try_from(cross.shares()).map_err(|overflow| {
            self.counts.share_overflows += 1;
            MessageError::Shares {
                match_number,
                overflow,
            }
        })?;
        self.begin(&header, batch);
        self.learn_new(header.locate, cross.stock(), batch);
        let execution = (header.locate, cross.cross_price(), shares, match_number);
        self.trade(ExecutionKind::Cross, execution, batch);
        Ok(())
    }

    pub(super) fn broken(&mut self, broken: &BrokenTrade<'_>, batch: &mut Batch) {
        self.begin(&broken.header(), batch);
        let match_number = broken.match_number();
        mark(
            batch,
            Mark::Break {
                match_number,
                time: self.now,
            },
        );
    }

    pub(super) fn listed(&mut self, listed: &StockDirectory<'_>, batch: &mut Batch) {
        let header = listed.header();
        self.begin(&header, batch);
        self.learn(header.locate, listed.stock(), batch);
    }

    /// Learns the name of a locate that no message has named so far.
    #[inline(always)]
    fn learn_new(&mut self, locate: Locate, symbol: Symbol, batch: &mut Batch) {
        if self.unnamed(locate) == 1 {
            self.learn(locate, symbol, batch);
        }
    }

    #[cold]
    fn learn(&mut self, locate: Locate, symbol: Symbol, batch: &mut Batch) {
        let symbol = symbol.printable();
        let word = locate.index() / 64;
        self.unnamed[word] &= !(1 << (locate.index() % 64));
        let time = self.now;
        match self.directory.learn(locate, symbol, time) {
            Learned::New => {
                let named = Mark::Named {
                    locate,
                    symbol,
                    time,
                };
                mark(batch, named);
            }
            Learned::Known => {}
            Learned::Conflict => self.counts.renamed += 1,
        }
    }

    /// Records what the book said: the price at which the order rests or rested, if it is known.
    #[inline(always)]
    pub(super) fn changed(
        &mut self,
        outcome: Result<Change, BookError>,
        batch: &mut Batch,
    ) -> Option<Price> {
        let change = match outcome {
            Ok(change) => change,
            Err(error) => {
                self.refused(error);
                return None;
            }
        };
        if let Some(oddity) = change.oddity {
            self.odd(oddity);
        }
        if change.top_changed {
            self.quote(change.locate, batch);
        }
        Some(change.price)
    }

    #[cold]
    fn refused(&mut self, error: BookError) {
        match error {
            BookError::UnknownReference(_) => self.counts.unknown_references += 1,
            BookError::NoShares(_) => self.counts.zero_share_orders += 1,
        }
    }

    #[cold]
    fn odd(&mut self, oddity: Oddity) {
        match oddity {
            Oddity::ExcessShares => self.counts.excess_shares += 1,
            Oddity::LocateMismatch => self.counts.locate_mismatches += 1,
            Oddity::ReusedReference => self.counts.duplicate_references += 1,
        }
    }

    #[inline(never)]
    pub(super) fn quote(&mut self, locate: Locate, batch: &mut Batch) {
        self.counts.top_changes += 1;
        batch.quotes.push(self.now, locate, self.book.top(locate));
    }

    #[cold]
    fn flag(&mut self, locate: Locate) {
        self.counts.unpriceable += 1;
        if self.flagged.len() <= locate.index() {
            self.flagged.resize(locate.index() + 1, false);
        }
        self.flagged[locate.index()] = true;
    }

    #[inline(always)]
    fn trade(
        &mut self,
        kind: ExecutionKind,
        (locate, price, shares, match_number): (Locate, Price, Shares, u64),
        batch: &mut Batch,
    ) {
        if shares.0 == 0 {
            self.counts.zero_shares += 1;
            return;
        }
        self.counts.trades += 1;
        let policies = Policy::bits_of(kind);
        batch.trades.push(&Trade {
            time: self.now,
            locate,
            price,
            shares,
            match_number,
            policies,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of this type and length, about the locate 7, at the last nanosecond that its six bytes can say, zeros
    /// behind that.
    fn message(kind: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        (bytes[0], bytes[2]) = (kind, 7);
        bytes[5..11].fill(0xff);
        bytes
    }

    #[test]
    fn a_message_that_is_refused_ends_no_gap_moves_no_time_and_names_no_symbol() {
        let mut add = message(b'A', 36);
        add[19] = b'X';
        add[24..32].copy_from_slice(b"NONE    ");
        let mut cross = message(b'Q', 40);
        cross[14] = 1;
        cross[19..27].copy_from_slice(b"NONE    ");
        let (mut normaliser, mut batch) = (Normaliser::new(true), Batch::default());
        normaliser.gap(1, 5);
        for refused in [add, cross] {
            assert!(normaliser.message(&refused, &mut batch).is_err());
            assert!(!batch.started && batch.marks.is_empty());
            assert_eq!(normaliser.directory.get(Locate(7)), None);
            assert_eq!(normaliser.now.0, 0);
        }
    }

    #[test]
    fn a_locate_is_named_once_and_other_names_are_counted() {
        let (mut normaliser, mut batch) = (Normaliser::new(true), Batch::default());
        for name in [b"ONE     ", b"ONE     ", b"TWO     ", b"ONE     "] {
            let mut listed = message(b'R', 39);
            listed[11..19].copy_from_slice(name);
            assert!(normaliser.message(&listed, &mut batch).is_ok());
        }
        let [(0, Mark::Named { symbol, .. })] = batch.marks[..] else {
            panic!("{:?}", batch.marks);
        };
        assert_eq!(
            (symbol.name(), normaliser.counts.renamed),
            ("ONE".to_owned(), 1)
        );
    }
}
