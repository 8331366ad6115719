//! Which symbols of `--symbols` the input does not have.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::say;
use crate::{Locate, Publisher, Symbol, Update};

/// Symbols that were asked for and have not been listed yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Absent(Arc<Mutex<BTreeSet<Symbol>>>);

impl Absent {
    /// Those of `asked` but for labels of locates without a name, which no listing tells.
    pub(super) fn among(asked: Option<&BTreeSet<Symbol>>) -> Self {
        let named = asked.into_iter().flatten().copied();
        let named = named.filter(|symbol| !symbol.name().starts_with('#'));
        Self(Arc::new(Mutex::new(named.collect())))
    }

    /// Says so of those that are left.
    pub(super) fn warn(&self) {
        for symbol in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            say(format_args!(
                "widetape: warning: --symbols: the input has no {symbol}"
            ));
        }
    }
}

impl Publisher for Absent {
    fn name(&self) -> String {
        "absent".to_owned()
    }

    fn listing(&mut self, _locate: Locate, symbol: Symbol) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.remove(&symbol);
    }

    fn publish(&mut self, _update: &Update<'_>) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
