//! The numbers of the fields that are read or written here, under their names in the specification.

/// Declares `NAME = number` pairs as documented constants.
macro_rules! tags {
    ($($name:ident = $number:literal, $field:literal;)*) => {
        $(#[doc = $field] pub const $name: u32 = $number;)*
    };
}

tags! {
    BEGIN_SEQ_NO = 7, "BeginSeqNo";
    BEGIN_STRING = 8, "BeginString";
    BODY_LENGTH = 9, "BodyLength";
    CHECK_SUM = 10, "CheckSum";
    END_SEQ_NO = 16, "EndSeqNo";
    MSG_SEQ_NUM = 34, "MsgSeqNum";
    MSG_TYPE = 35, "MsgType";
    NEW_SEQ_NO = 36, "NewSeqNo";
    POSS_DUP_FLAG = 43, "PossDupFlag";
    REF_SEQ_NUM = 45, "RefSeqNum";
    SENDER_COMP_ID = 49, "SenderCompID";
    SENDING_TIME = 52, "SendingTime";
    SYMBOL = 55, "Symbol";
    TARGET_COMP_ID = 56, "TargetCompID";
    TEXT = 58, "Text";
    TRANSACT_TIME = 60, "TransactTime";
    ENCRYPT_METHOD = 98, "EncryptMethod";
    HEART_BT_INT = 108, "HeartBtInt (seconds)";
    TEST_REQ_ID = 112, "TestReqID";
    ON_BEHALF_OF_COMP_ID = 115, "OnBehalfOfCompID";
    ON_BEHALF_OF_SUB_ID = 116, "OnBehalfOfSubID";
    ORIG_SENDING_TIME = 122, "OrigSendingTime";
    GAP_FILL_FLAG = 123, "GapFillFlag";
    DELIVER_TO_COMP_ID = 128, "DeliverToCompID";
    DELIVER_TO_SUB_ID = 129, "DeliverToSubID";
    RESET_SEQ_NUM_FLAG = 141, "ResetSeqNumFlag";
    ON_BEHALF_OF_LOCATION_ID = 144, "OnBehalfOfLocationID";
    DELIVER_TO_LOCATION_ID = 145, "DeliverToLocationID";
    NO_RELATED_SYM = 146, "NoRelatedSym";
    MD_REQ_ID = 262, "MDReqID";
    AGGREGATED_BOOK = 266, "AggregatedBook";
    SUBSCRIPTION_REQUEST_TYPE = 263, "SubscriptionRequestType";
    MARKET_DEPTH = 264, "MarketDepth";
    MD_UPDATE_TYPE = 265, "MDUpdateType";
    NO_MD_ENTRY_TYPES = 267, "NoMDEntryTypes";
    NO_MD_ENTRIES = 268, "NoMDEntries";
    MD_ENTRY_TYPE = 269, "MDEntryType";
    MD_ENTRY_PX = 270, "MDEntryPx";
    MD_ENTRY_SIZE = 271, "MDEntrySize";
    MD_ENTRY_TIME = 273, "MDEntryTime";
    MD_ENTRY_ID = 278, "MDEntryID";
    MD_UPDATE_ACTION = 279, "MDUpdateAction";
    MD_REQ_REJ_REASON = 281, "MDReqRejReason";
    MD_ENTRY_ORIGINATOR = 282, "MDEntryOriginator";
    TRADING_SESSION_ID = 336, "TradingSessionID";
    REF_TAG_ID = 371, "RefTagID";
    REF_MSG_TYPE = 372, "RefMsgType";
    SESSION_REJECT_REASON = 373, "SessionRejectReason";
    BUSINESS_REJECT_REASON = 380, "BusinessRejectReason";
    SECURITY_REQ_ID = 320, "SecurityReqID";
    SECURITY_RESPONSE_ID = 322, "SecurityResponseID";
    UNSOLICITED_INDICATOR = 325, "UnsolicitedIndicator";
    SECURITY_TRADING_STATUS = 326, "SecurityTradingStatus";
    TRAD_SES_STATUS = 340, "TradSesStatus";
    TRAD_SES_END_TIME = 345, "TradSesEndTime";
    NUMBER_OF_ORDERS = 346, "NumberOfOrders";
    NO_TRADING_SESSIONS = 386, "NoTradingSessions";
    TOT_NO_RELATED_SYM = 393, "TotNoRelatedSym";
    USERNAME = 553, "Username";
    PASSWORD = 554, "Password";
    SECURITY_LIST_REQUEST_TYPE = 559, "SecurityListRequestType";
    SECURITY_REQUEST_RESULT = 560, "SecurityRequestResult";
    LAST_UPDATE_TIME = 779, "LastUpdateTime";
    LAST_FRAGMENT = 893, "LastFragment";
    APPL_VER_ID = 1128, "ApplVerID";
    DEFAULT_APPL_VER_ID = 1137, "DefaultApplVerID";
}

/// The data field that a length field announces: its value may hold any byte, SOH included.
#[must_use]
pub const fn data_after(length_tag: u32) -> Option<u32> {
    match length_tag {
        90 => Some(91),
        93 => Some(89),
        95 => Some(96),
        212 => Some(213),
        348 => Some(349),
        350 => Some(351),
        352 => Some(353),
        354 => Some(355),
        356 => Some(357),
        358 => Some(359),
        360 => Some(361),
        362 => Some(363),
        364 => Some(365),
        445 => Some(446),
        618 => Some(619),
        621 => Some(622),
        _ => None,
    }
}
