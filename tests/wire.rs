//! ITCH 5.0 both ways.
//!
//! The tables below repeat the specification's order of fields without offsets: the expected bytes
//! are each field's own bytes one after another, so a wrong offset in the crate shows.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use proptest::collection::vec;
use proptest::prelude::*;
use widetape::market::{Locate, Price, Symbol, Timestamp};
use widetape::wire::itch50::*;

/// A field's value, made from a source of bytes, and its bytes on the wire.
trait Value: Sized {
    fn draw(source: &mut impl Iterator<Item = u8>) -> Self;
    fn append(&self, wire: &mut Vec<u8>);
}

impl<const W: usize> Value for [u8; W] {
    fn draw(source: &mut impl Iterator<Item = u8>) -> Self {
        std::array::from_fn(|_| source.next().expect("bytes enough for every field"))
    }

    fn append(&self, wire: &mut Vec<u8>) {
        wire.extend(self);
    }
}

macro_rules! integers {
    ($($integer:ident)+) => { $(
        impl Value for $integer {
            fn draw(source: &mut impl Iterator<Item = u8>) -> Self {
                $integer::from_le_bytes(Value::draw(source))
            }

            fn append(&self, wire: &mut Vec<u8>) {
                for byte in (0..$integer::BITS / 8).rev() {
                    wire.push((self >> (8 * byte)) as u8);
                }
            }
        }
    )+ };
}

integers! { u8 u32 u64 }

impl Value for Price {
    fn draw(source: &mut impl Iterator<Item = u8>) -> Self {
        Price(Value::draw(source))
    }

    fn append(&self, wire: &mut Vec<u8>) {
        self.0.append(wire);
    }
}

impl Value for Symbol {
    fn draw(source: &mut impl Iterator<Item = u8>) -> Self {
        Symbol(Value::draw(source))
    }

    fn append(&self, wire: &mut Vec<u8>) {
        self.0.append(wire);
    }
}

fn headers() -> impl Strategy<Value = Header> {
    (any::<u16>(), any::<u16>(), 0..1_u64 << 48).prop_map(|(locate, tracking_number, nanos)| {
        Header {
            locate: Locate(locate),
            tracking_number,
            timestamp: Timestamp(nanos),
        }
    })
}

fn header_bytes(kind: u8, header: &Header) -> Vec<u8> {
    let mut wire = vec![kind];
    wire.extend(header.locate.0.to_be_bytes());
    wire.extend(header.tracking_number.to_be_bytes());
    wire.extend(&header.timestamp.0.to_be_bytes()[2..]);
    wire
}

macro_rules! round_trips {
    ($( $test:ident $kind:literal $view:ident $owned:ident { $($field:ident: $type:ty),+ } )+) => { $(
        #[test]
        fn $test() {
            proptest!(|(header in headers(), seed in vec(any::<u8>(), 48))| {
                let mut source = seed.into_iter();
                let fields = $owned { $( $field: <$type>::draw(&mut source), )+ };
                let mut expected = header_bytes($kind, &header);
                $( fields.$field.append(&mut expected); )+

                let mut written = b"kept".to_vec();
                fields.emit(&header, &mut written);
                prop_assert_eq!(&written[..4], b"kept");
                let written = &written[4..];
                prop_assert_eq!(written, &expected[..]);

                let Ok(Message::$view(view)) = parse(written) else {
                    return Err(TestCaseError::fail(format!("{:?}", parse(written))));
                };
                prop_assert_eq!(view.header(), header);
                prop_assert_eq!(view.fields(), fields);
                $( prop_assert_eq!(view.$field(), fields.$field); )+
            });
        }
    )+ };
}

round_trips! {
    system_event b'S' SystemEvent SystemEventFields { event_code: u8 }
    stock_directory b'R' StockDirectory StockDirectoryFields {
        stock: Symbol, market_category: u8, financial_status_indicator: u8, round_lot_size: u32,
        round_lots_only: u8, issue_classification: u8, issue_subtype: [u8; 2], authenticity: u8,
        short_sale_threshold_indicator: u8, ipo_flag: u8, luld_reference_price_tier: u8,
        etp_flag: u8, etp_leverage_factor: u32, inverse_indicator: u8
    }
    stock_trading_action b'H' StockTradingAction StockTradingActionFields {
        stock: Symbol, trading_state: u8, reserved: u8, reason: [u8; 4]
    }
    reg_sho_restriction b'Y' RegShoRestriction RegShoRestrictionFields {
        stock: Symbol, reg_sho_action: u8
    }
    market_participant_position b'L' MarketParticipantPosition MarketParticipantPositionFields {
        mpid: [u8; 4], stock: Symbol, primary_market_maker: u8, market_maker_mode: u8,
        market_participant_state: u8
    }
    mwcb_decline_level b'V' MwcbDeclineLevel MwcbDeclineLevelFields {
        level_1: u64, level_2: u64, level_3: u64
    }
    mwcb_status b'W' MwcbStatus MwcbStatusFields { breached_level: u8 }
    ipo_quoting_period_update b'K' IpoQuotingPeriodUpdate IpoQuotingPeriodUpdateFields {
        stock: Symbol, ipo_quotation_release_time: u32, ipo_quotation_release_qualifier: u8,
        ipo_price: Price
    }
    luld_auction_collar b'J' LuldAuctionCollar LuldAuctionCollarFields {
        stock: Symbol, auction_collar_reference_price: Price, upper_auction_collar_price: Price,
        lower_auction_collar_price: Price, auction_collar_extension: u32
    }
    operational_halt b'h' OperationalHalt OperationalHaltFields {
        stock: Symbol, market_code: u8, operational_halt_action: u8
    }
    add_order b'A' AddOrder AddOrderFields {
        reference: u64, buy_sell_indicator: u8, shares: u32, stock: Symbol, price: Price
    }
    add_order_with_attribution b'F' AddOrderWithAttribution AddOrderWithAttributionFields {
        reference: u64, buy_sell_indicator: u8, shares: u32, stock: Symbol, price: Price,
        attribution: [u8; 4]
    }
    order_executed b'E' OrderExecuted OrderExecutedFields {
        reference: u64, executed_shares: u32, match_number: u64
    }
    order_executed_with_price b'C' OrderExecutedWithPrice OrderExecutedWithPriceFields {
        reference: u64, executed_shares: u32, match_number: u64, printable: u8,
        execution_price: Price
    }
    order_cancel b'X' OrderCancel OrderCancelFields { reference: u64, cancelled_shares: u32 }
    order_delete b'D' OrderDelete OrderDeleteFields { reference: u64 }
    order_replace b'U' OrderReplace OrderReplaceFields {
        original_reference: u64, new_reference: u64, shares: u32, price: Price
    }
    trade b'P' Trade TradeFields {
        reference: u64, buy_sell_indicator: u8, shares: u32, stock: Symbol, price: Price,
        match_number: u64
    }
    cross_trade b'Q' CrossTrade CrossTradeFields {
        shares: u64, stock: Symbol, cross_price: Price, match_number: u64, cross_type: u8
    }
    broken_trade b'B' BrokenTrade BrokenTradeFields { match_number: u64 }
    net_order_imbalance b'I' NetOrderImbalance NetOrderImbalanceFields {
        paired_shares: u64, imbalance_shares: u64, imbalance_direction: u8, stock: Symbol,
        far_price: Price, near_price: Price, current_reference_price: Price, cross_type: u8,
        price_variation_indicator: u8
    }
    retail_price_improvement b'N' RetailPriceImprovement RetailPriceImprovementFields {
        stock: Symbol, interest_flag: u8
    }
    direct_listing_capital_raise b'O' DirectListingCapitalRaise DirectListingCapitalRaiseFields {
        stock: Symbol, open_eligibility_status: u8, minimum_allowable_price: Price,
        maximum_allowable_price: Price, near_execution_price: Price, near_execution_time: u64,
        lower_price_range_collar: Price, upper_price_range_collar: Price
    }
}

/// The uncompressed capture, or `None`, said aloud, where the captures are absent.
fn capture(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    let Ok(mut file) = File::open(&path) else {
        println!("SKIPPED: {name} is not there");
        return None;
    };
    let mut bytes = Vec::new();
    if name.ends_with(".gz") {
        GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    } else {
        file.read_to_end(&mut bytes).unwrap();
    }
    Some(bytes)
}

/// Writes a parsed message anew from its fields.
fn emit_again(message: &Message<'_>, out: &mut Vec<u8>) {
    macro_rules! each {
        ($($name:ident)+) => {
            match message {
                $( Message::$name(view) => view.fields().emit(&view.header(), out), )+
            }
        };
    }
    each! {
        SystemEvent StockDirectory StockTradingAction RegShoRestriction MarketParticipantPosition
        MwcbDeclineLevel MwcbStatus IpoQuotingPeriodUpdate LuldAuctionCollar OperationalHalt
        AddOrder AddOrderWithAttribution OrderExecuted OrderExecutedWithPrice OrderCancel
        OrderDelete OrderReplace Trade CrossTrade BrokenTrade NetOrderImbalance
        RetailPriceImprovement DirectListingCapitalRaise
    }
}

/// Reads every whole block, writes it back, and returns how many messages of each type there were
/// and how many bytes of a cut block were left.
fn census(bytes: &[u8]) -> (BTreeMap<char, usize>, usize) {
    let mut counts = BTreeMap::new();
    let mut rest = bytes;
    let mut again = Vec::new();
    let mut last = Timestamp(0);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let Some((block, after)) = after.split_at_checked(u16::from_be_bytes(*length).into())
        else {
            break;
        };
        let message = parse(block).unwrap_or_else(|error| {
            panic!("{error} at byte {}", bytes.len() - rest.len());
        });
        again.clear();
        emit_again(&message, &mut again);
        assert_eq!(again, block);
        let time = message.header().timestamp;
        assert!(time >= last, "feed time runs forward: {message}");
        last = time;
        *counts.entry(char::from(message.kind())).or_default() += 1;
        rest = after;
    }
    (counts, rest.len())
}

#[test]
fn the_2020_capture_has_the_counts_that_another_decoder_found() {
    let name = "itch50-nasdaq-aapl-20200130/aapl_20200130_first10k.itch";
    let Some(bytes) = capture(name) else { return };
    let (counts, left) = census(&bytes);
    let expected = [
        ('R', 1),
        ('H', 1),
        ('Y', 1),
        ('L', 52),
        ('A', 4758),
        ('P', 240),
        ('D', 4083),
        ('E', 849),
        ('X', 6),
        ('F', 2),
        ('U', 7),
    ];
    assert_eq!((counts, left), (BTreeMap::from(expected), 0));
}

#[test]
fn the_2012_hour_has_the_counts_that_another_decoder_found() {
    let Some(bytes) = capture("itch50-lobster-aapl-1h/lobster_aapl_20120621_1h.itch.gz") else {
        return;
    };
    let (counts, left) = census(&bytes);
    let expected = [
        ('S', 1),
        ('R', 1),
        ('A', 44_336),
        ('D', 41_004),
        ('E', 4067),
        ('P', 2201),
        ('X', 469),
    ];
    assert_eq!((counts, left), (BTreeMap::from(expected), 0));
}

#[test]
fn heads_of_real_days_hold_as_many_whole_messages_as_they_should() {
    for (name, whole, cut) in [
        ("head_1000msgs.itch", 1000, false),
        ("20190130_head_4096bytes_TRUNCATED.itch", 101, true),
        ("20190130_head_1MiB_TRUNCATED.itch.gz", 35_581, true),
    ] {
        let Some(bytes) = capture(&format!("itch50-nasdaq-heads/{name}")) else {
            return;
        };
        let (counts, left) = census(&bytes);
        assert_eq!(counts.values().sum::<usize>(), whole, "{name}");
        assert_eq!(left > 0, cut, "{name}");
        if whole == 1000 {
            assert_eq!(counts.keys().collect::<String>(), "HRSY");
        }
    }
}

#[test]
fn a_file_whose_lengths_are_two_too_large_is_refused_message_by_message() {
    let Some(bytes) = capture("itch-negative/karan_rtl_sim_SYNTHETIC_wrong_lengths.itch.gz") else {
        return;
    };
    let mut refused = 0;
    let mut rest = &bytes[..];
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (block, after) = after.split_at(u16::from_be_bytes(*length).into());
        let kind = block[0];
        let (expected, found) = (block.len() - 2, block.len());
        assert_eq!(
            parse(block),
            Err(ParseError::Length {
                kind,
                expected,
                found
            })
        );
        refused += 1;
        rest = after;
    }
    assert_eq!(refused, 20_004);
}
