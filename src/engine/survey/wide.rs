//! Which windows are answered apart from the stream.

use crate::market::Duration;
use crate::window::{Spec, SpecError, Window};

/// Windows that are answered apart from those of the stream: wide ones, seldom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wide {
    /// The windows. Publishers see them behind those of the stream.
    pub windows: Vec<Window>,
    /// Distance between ends.
    pub every: Duration,
}

impl Wide {
    /// The request that these windows make beside that of the stream.
    #[must_use]
    pub fn spec(&self, stream: &Spec) -> Spec {
        Spec {
            windows: self.windows.clone(),
            step: self.every,
            ..stream.clone()
        }
    }

    /// The request of the stream with all windows that publishers see, in their order.
    ///
    /// # Errors
    /// When a window is asked of both, or either request makes no sense.
    pub fn published(&self, stream: &Spec) -> Result<Spec, SpecError> {
        self.spec(stream).check()?;
        stream.followed_by(&self.windows)
    }
}
