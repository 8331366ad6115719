//! Reading rules.txt.

use widetape::publish::fix::Version;

/// One line of a scenario.
pub(super) enum Step {
    /// The counterparty sends a message, given as `TYPE|fields`.
    Send { connection: usize, fields: String },
    /// It sends bytes.
    Bytes { connection: usize, text: String },
    /// It must receive this message, given as `TYPE|fields`.
    Receive { connection: usize, fields: String },
    /// The acceptor must close.
    Closed { connection: usize },
    /// The feed says something.
    Feed(String),
    /// So many milliseconds pass.
    Pass(u64),
}

/// One scenario.
pub(super) struct Scenario {
    pub(super) rule: u32,
    pub(super) name: String,
    /// TOML under `[fix.acceptor]`.
    pub(super) settings: String,
    pub(super) only: Option<Version>,
    pub(super) steps: Vec<Step>,
}

/// All scenarios of `text`.
pub(super) fn scenarios(text: &str) -> Vec<Scenario> {
    let mut all: Vec<Scenario> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("## ") {
            let rule = title.split(' ').next().unwrap();
            all.push(Scenario {
                rule: rule.parse().expect(title),
                name: title.to_owned(),
                settings: String::new(),
                only: None,
                steps: Vec::new(),
            });
        } else if !line.starts_with('#') {
            line_of(line, all.last_mut().expect("a title comes first"));
        }
    }
    all
}

fn line_of(line: &str, scenario: &mut Scenario) {
    let (connection, rest) = match line.strip_prefix('2') {
        Some(rest) => (1, rest.trim_start()),
        None => (0, line),
    };
    let (verb, fields) = rest.split_once(' ').unwrap_or((rest, ""));
    let fields = fields.to_owned();
    scenario.steps.push(match verb {
        "<" => Step::Send { connection, fields },
        "~" => Step::Bytes {
            connection,
            text: fields,
        },
        ">" => Step::Receive { connection, fields },
        "!" => Step::Feed(fields),
        "closed" => Step::Closed { connection },
        "+" => Step::Pass((fields.parse::<f64>().expect(line) * 1e3).round() as u64),
        "@" => {
            scenario.settings += &(fields + "\n");
            return;
        }
        "only" => {
            assert_eq!(fields, "FIX.5.0SP2");
            scenario.only = Some(Version::Fix50Sp2);
            return;
        }
        _ => panic!("{line}"),
    });
}
