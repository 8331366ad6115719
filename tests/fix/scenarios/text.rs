//! Messages as scenarios write them: what is expected, what is compared, and what a proxy makes of them.

use widetape::publish::fix::Version;

use super::play::Outcome;

/// What a scenario expects, in `version`.
pub(super) fn expected(fields: &str, version: Version) -> String {
    let mut fields: Vec<&str> = fields.split('|').collect();
    if version == Version::Fix42 {
        let known = |field: &&str| {
            let reason = field.strip_prefix("373=");
            let reason = reason.and_then(|text| text.parse().ok());
            reason.is_none_or(|reason: u32| reason <= 11)
        };
        fields.retain(known);
        if fields[0] == "f" {
            fields.retain(|field| !field.starts_with("58="));
        }
    }
    if version == Version::Fix50Sp2 {
        let symbol = fields.iter().position(|field| field.starts_with("55="));
        match (fields[0], symbol) {
            ("A", _) => fields.push("1137=9"),
            ("W", Some(symbol)) => fields.insert(symbol + 1, "779=20200130-14:30:00.000"),
            _ => {}
        }
    }
    fields.join("|")
}

/// Checks what every message of the acceptor must be: version, names, length and sum.
pub(super) fn check_frame(text: &str, version: Version) -> Outcome<()> {
    let begin = String::from_utf8_lossy(version.begin_string()).into_owned();
    let body_at = text.find("35=").unwrap_or(0);
    let sum_at = text.rfind("10=").unwrap_or(0);
    let head = format!("8={begin}|9={}|35=", sum_at.saturating_sub(body_at));
    let sum = text.as_bytes()[..sum_at]
        .iter()
        .map(|&byte| if byte == b'|' { 1 } else { byte })
        .fold(0_u8, u8::wrapping_add);
    let right = text.starts_with(&head)
        && text.ends_with(&format!("|10={sum:03}|"))
        && text.contains("|49=WIDETAPE|56=CLIENT|34=")
        && text.contains("|52=20200");
    right.then_some(()).ok_or(format!("wrong frame: {text}"))
}

/// `text` as a scenario writes it, as far as `expected` speaks of it.
pub(super) fn visible(text: &str, expected: &str) -> String {
    let says_why = expected.contains("|58=");
    let mut fields: Vec<String> = Vec::new();
    let mut why = None;
    for field in text.split('|').filter(|field| !field.is_empty()) {
        let (tag, value) = field.split_once('=').unwrap_or((field, ""));
        match tag {
            "8" | "9" | "49" | "56" | "52" | "10" => {}
            "58" => why = Some(field.to_owned()),
            "35" => fields.insert(0, value.to_owned()),
            "122" => fields.push("122".to_owned()),
            _ => fields.push(field.to_owned()),
        }
    }
    if says_why {
        fields.extend(why);
    }
    fields.join("|")
}

/// `text` with another value in field `tag`.
pub(super) fn alter(text: &str, tag: u32) -> String {
    let prefix = format!("{tag}=");
    let mut done = false;
    let fields: Vec<String> = text
        .split('|')
        .map(|field| match field.strip_prefix(&prefix) {
            Some(value) if !done => {
                done = true;
                format!("{prefix}{}", other(value))
            }
            // A field that is named without its value is taken away.
            _ => field.to_owned(),
        })
        .filter(|field| !(tag == 122 && field.starts_with("122=")))
        .collect();
    let text = fields.join("|");
    if matches!(tag, 8..=10) {
        return text;
    }
    let body_at = text.find("35=").unwrap();
    let sum_at = text.rfind("10=").unwrap();
    let begin = &text[..text.find('|').unwrap()];
    let text = format!("{begin}|9={}|{}", sum_at - body_at, &text[body_at..sum_at]);
    let sum = text
        .replace('|', "\x01")
        .bytes()
        .fold(0_u8, u8::wrapping_add);
    format!("{text}10={sum:03}|")
}

/// A value of the same kind that is not `value`.
fn other(value: &str) -> String {
    let last = value.chars().last().unwrap_or('0');
    let next = if last == '7' { '8' } else { '7' };
    format!("{}{next}", &value[..value.len() - last.len_utf8()])
}
