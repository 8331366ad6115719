//! What is wrong with a message, in the words of Reject (35=3).

/// SessionRejectReason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Reason {
    InvalidTag = 0,
    TagMissing = 1,
    NotDefinedForType = 2,
    NoValue = 4,
    WrongValue = 5,
    WrongFormat = 6,
    CompId = 9,
    SendingTime = 10,
    MsgType = 11,
    Repeated = 13,
    Misordered = 14,
    GroupCount = 16,
    ApplicationVersion = 18,
    Other = 99,
}

impl Reason {
    /// The meaning that the specification gives the number.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Reason::InvalidTag => "Invalid tag number",
            Reason::TagMissing => "Required tag missing",
            Reason::NotDefinedForType => "Tag not defined for this message type",
            Reason::NoValue => "Tag specified without a value",
            Reason::WrongValue => "Value is incorrect (out of range) for this tag",
            Reason::WrongFormat => "Incorrect data format for value",
            Reason::CompId => "CompID problem",
            Reason::SendingTime => "SendingTime accuracy problem",
            Reason::MsgType => "Invalid MsgType",
            Reason::Repeated => "Tag appears more than once",
            Reason::Misordered => "Tag specified out of required order",
            Reason::GroupCount => "Incorrect NumInGroup count for repeating group",
            Reason::ApplicationVersion => "Invalid/Unsupported Application Version",
            Reason::Other => "Already logged on",
        }
    }
}

/// A reason and the tag it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) tag: Option<u32>,
}

impl Fault {
    pub(super) const fn new(reason: Reason, tag: u32) -> Self {
        Self {
            reason,
            tag: Some(tag),
        }
    }

    /// A fault whose reason says which tag it is about.
    pub(super) const fn plain(reason: Reason) -> Self {
        Self { reason, tag: None }
    }
}
