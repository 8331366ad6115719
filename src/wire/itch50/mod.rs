//! Nasdaq TotalView-ITCH 5.0, all 23 message types.
//!
//! Every message is declared once, as a table of fields at fixed offsets (`layout`). [`parse`]
//! compares the length with the one that the type demands; the view that it returns borrows the
//! bytes, and its accessors cannot fail. Each view has an owned twin (`AddOrderFields` for
//! [`AddOrder`]) that writes the message. Numbers are big-endian and unsigned. Lengths never
//! include the two-byte prefix of the framing around a message.
//!
//! Bytes are shown as they are, not judged: a flag outside the specification's list is the caller's
//! to count or refuse.

mod administrative;
mod auctions;
mod describe;
mod header;
mod layout;
mod orders;
mod outline;
mod parse;
mod trades;

pub use administrative::{
    MarketParticipantPosition, MarketParticipantPositionFields, MwcbDeclineLevel,
    MwcbDeclineLevelFields, MwcbStatus, MwcbStatusFields, OperationalHalt, OperationalHaltFields,
    RegShoRestriction, RegShoRestrictionFields, StockDirectory, StockDirectoryFields,
    StockTradingAction, StockTradingActionFields, SystemEvent, SystemEventFields,
};
pub use auctions::{
    DirectListingCapitalRaise, DirectListingCapitalRaiseFields, IpoQuotingPeriodUpdate,
    IpoQuotingPeriodUpdateFields, LuldAuctionCollar, LuldAuctionCollarFields, NetOrderImbalance,
    NetOrderImbalanceFields, RetailPriceImprovement, RetailPriceImprovementFields,
};
pub use header::Header;
pub use orders::{
    AddOrder, AddOrderFields, AddOrderWithAttribution, AddOrderWithAttributionFields, OrderCancel,
    OrderCancelFields, OrderDelete, OrderDeleteFields, OrderExecuted, OrderExecutedFields,
    OrderExecutedWithPrice, OrderExecutedWithPriceFields, OrderReplace, OrderReplaceFields,
};
pub use outline::{OUTLINE, Outline, outline};
pub use parse::{Message, ParseError, length_of, parse};
pub use trades::{
    BrokenTrade, BrokenTradeFields, CrossTrade, CrossTradeFields, Trade, TradeFields,
};
