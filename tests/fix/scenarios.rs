//! The session rules: rules.txt played over TCP, in every version, and through a proxy that corrupts
//! what the acceptor says.

mod parse;
mod play;
mod text;

use parse::{Scenario, Step, scenarios};
use play::{Fault, Plain, play};
use text::expected;
use widetape::publish::fix::Version;

#[cfg(feature = "tls")]
pub(super) use play::Carrier;

fn all() -> Vec<Scenario> {
    scenarios(include_str!("rules.txt"))
}

/// The versions that a scenario is for.
fn versions(scenario: &Scenario) -> impl Iterator<Item = Version> {
    let only = scenario.only;
    let fits = move |version: &Version| only.is_none_or(|only| only == *version);
    Version::ALL.into_iter().filter(fits)
}

#[test]
fn every_rule_in_every_version() {
    let mut failed = Vec::new();
    for scenario in &all() {
        for version in versions(scenario) {
            if let Err(reason) = play(scenario, version, Fault::None, &Plain) {
                failed.push(format!("{} in {version:?}: {reason}", scenario.name));
            }
        }
    }
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
}

/// Plays every scenario, each in one version.
#[cfg(feature = "tls")]
pub(super) fn every_rule_over(carrier: &dyn Carrier) {
    let mut failed = Vec::new();
    for (number, scenario) in all().iter().enumerate() {
        let versions: Vec<Version> = versions(scenario).collect();
        let version = versions[number % versions.len()];
        if let Err(reason) = play(scenario, version, Fault::None, carrier) {
            failed.push(format!("{} in {version:?}: {reason}", scenario.name));
        }
    }
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
}

#[test]
fn every_rule_of_the_list_has_its_scenarios() {
    let all = all();
    for rule in 1..=16 {
        assert!(all.iter().any(|one| one.rule == rule), "rule {rule}");
    }
    assert!(all.len() >= 70, "{} scenarios were read", all.len());
}

/// Every way in which the proxy can spoil what a scenario expects.
fn faults(scenario: &Scenario, version: Version) -> Vec<Fault> {
    let mut faults = vec![Fault::Insert(0)];
    let mut message = 0;
    for step in &scenario.steps {
        match step {
            Step::Receive { fields, .. } => {
                faults.push(Fault::Drop(message));
                faults.push(Fault::Insert(message + 1));
                faults.push(Fault::CutBefore(message));
                let fields = expected(fields, version);
                let written = fields.split('|').skip(1);
                let written = written.filter_map(|field| field.split('=').next());
                for tag in written.filter_map(|tag| tag.parse().ok()) {
                    faults.push(Fault::Alter(message, tag));
                }
                for tag in [8, 9, 10, 35, 49, 56] {
                    faults.push(Fault::Alter(message, tag));
                }
                message += 1;
            }
            Step::Closed { connection } => faults.push(Fault::KeepOpen(*connection)),
            _ => {}
        }
    }
    faults
}

#[test]
fn a_corrupting_proxy_makes_every_scenario_fail() {
    let mut unnoticed = Vec::new();
    for (number, scenario) in all().iter().enumerate() {
        let versions: Vec<Version> = versions(scenario).collect();
        let version = versions[number % versions.len()];
        for fault in faults(scenario, version) {
            if play(scenario, version, fault, &Plain).is_ok() {
                unnoticed.push(format!("{} in {version:?}: {fault:?}", scenario.name));
            }
        }
    }
    assert!(unnoticed.is_empty(), "\n{}\n", unnoticed.join("\n"));
}
