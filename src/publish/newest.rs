//! The newest row of every symbol and window, kept in memory.

use std::collections::BTreeMap;
use std::io;

use super::{Publisher, Update};
use crate::market::{Locate, Symbol};
use crate::window::Row;

/// Remembers the newest end of every symbol and window, at its newest revision.
#[derive(Clone, Debug, Default)]
pub struct Newest {
    rows: BTreeMap<(Symbol, u8), Row>,
}

impl Newest {
    /// The newest row of a symbol in a window.
    #[must_use]
    pub fn get(&self, symbol: Symbol, window: u8) -> Option<&Row> {
        self.rows.get(&(symbol, window))
    }

    /// All of them, by symbol and window.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }
}

impl Publisher for Newest {
    fn name(&self) -> String {
        "newest rows".to_owned()
    }

    fn listing(&mut self, _locate: Locate, _symbol: Symbol) {}

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        for row in update.rows {
            let newest = self.rows.entry((row.symbol, row.window)).or_insert(row);
            if row.end >= newest.end {
                *newest = row;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
