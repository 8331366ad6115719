//! `run`: the service. A live feed in, rows out over FIX and to a file.

use std::io::{self, IsTerminal};
use std::net::{SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};

use super::error::{STANDARD_OUTPUT, say, tell, unwritten_to};
use super::outflow::{Outcome, Outflow};
use super::output::open;
use super::overwrite::overwrites_no_input;
use super::{Error, error, live};
use crate::config::{self, Config, OutputConfig};
use crate::metrics::report;
use crate::{
    Acceptor, Clock, Corrections, Duration, Engine, FixFeedOptions, FixSource, Format, Impair,
    LiveTable, Options, Policy, Pool, Publisher, Recovery, Source, Spec, UdpOptions, UdpSource,
    Window,
};

/// Bytes of rows that wait for the reader of the output before others are left out.
const WAITING: usize = 64 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration; the defaults listen to 239.192.0.1:5000 and 239.192.0.2:5000 on loopback.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the default configuration, with what each key means, and exit.
    #[arg(long)]
    print_config: bool,
    /// Windows, instead of the configuration's: durations such as 1s and 5m, or session.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    window: Vec<Window>,
    /// Distance between ends, instead of the configuration's.
    #[arg(long, value_name = "DURATION")]
    step: Option<Duration>,
    /// Which executions count, instead of the configuration's.
    #[arg(long, value_name = "NAME")]
    policy: Option<Policy>,
    /// Write a row at every end while its window holds an execution.
    #[arg(long)]
    every_end: bool,
    /// How old a broken execution may be for its rows to be written again: all, off or a duration.
    #[arg(long, value_name = "AGE")]
    corrections: Option<Corrections>,
    /// File that rows are written to; - is standard output. Without it there is a live table.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How rows are written: table, csv or jsonl, instead of the configuration's.
    #[arg(long, value_name = "NAME")]
    format: Option<Format>,
    /// Address of the FIX acceptor, instead of the configuration's.
    #[arg(long, value_name = "ADDRESS")]
    fix: Option<SocketAddr>,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    if args.print_config {
        tell(format_args!("{}", config::DEFAULT))?;
        return Ok(());
    }
    let config = configure(args)?;
    if let Some(output) = &config.output {
        overwrites_no_input("the output", &output.file, args.config.as_slice())?;
    }
    let spec = config.window.spec();
    let (wide, published) = (config.gpu.wide(), configured(&config)?);
    let keeping = wide.as_ref().map_or_else(String::new, |_| graphics());
    let (source, recovery, listening) = match config.feed.fix.clone() {
        Some(fix) => subscribed(fix)?,
        None => received(&config)?,
    };
    let (publishers, written, serving) = publishers(&config, &published)?;
    let options = Options {
        backend: config.window.backend,
        sequencer: config.session,
        recovery,
        queue: config.engine.queue,
        buffers: config.feed.buffers,
        threads: config.engine.threads(),
        orders: config.engine.orders,
        executions: config.engine.executions,
        wide,
        #[cfg(feature = "gpu")]
        gpu: crate::GpuOptions {
            tier: config.gpu.tier,
            ..crate::GpuOptions::default()
        },
        ..Options::new(spec)
    };
    let engine = Engine::new(source, publishers, options)?;
    live::stop_on_signal(engine.stop_switch())?;
    say(format_args!("{listening}{keeping}{serving}"));
    let (summary, outcome) = engine.run(&Clock::machine());
    let report = report(&summary.counters, &summary.latency, summary.elapsed());
    say(format_args!("{}", report.trim_end()));
    if let Some(trouble) = &summary.gpu_trouble {
        say(format_args!(
            "widetape: warning: {trouble}; the CPU answered"
        ));
    }
    let written = finish(written, config.output.as_ref());
    match (written, error::outcome(outcome, Path::new("-"))) {
        (Err(error), Err(Error::Engine(why))) => {
            error.report();
            Err(Error::Engine(why))
        }
        // Where the output has failed, that is why the engine has stopped.
        (written, outcome) => written.and(outcome),
    }
}

/// Waits for the output, and tells what it has left out: of rows, not of drawings.
fn finish(written: Outcome, output: Option<&OutputConfig>) -> Result<(), Error> {
    let name = match output {
        Some(OutputConfig { file, .. }) if file != Path::new("-") => file.to_string_lossy(),
        _ => STANDARD_OUTPUT.into(),
    };
    let lost = written.lost();
    if lost > 0 && output.is_some() {
        say(format_args!(
            "widetape: warning: {name}: {lost} rows are not written, as its reader was too slow"
        ));
    }
    match written.wait() {
        Err(error) if error.kind() == io::ErrorKind::TimedOut && output.is_none() => Ok(()),
        outcome => outcome.map_err(|error| unwritten_to(&name, error)),
    }
}

/// Where packets come from, who is asked for lost ones, and what to say of it.
type Feed = (Box<dyn Source>, Option<Recovery>, String);

/// The lines.
fn received(config: &Config) -> Result<Feed, Error> {
    let pool = Pool::new(config.feed.buffers, config.feed.buffer_bytes);
    let mut udp = UdpSource::open(&config.feed.lines, pool)?;
    let recovery = Recovery::open(&config.recovery, &mut udp)?;
    let listening = listening(config, &udp);
    let source: Box<dyn Source> = match config.feed.impair.clone() {
        Some(faults) => Box::new(
            Impair::new(udp, faults).map_err(|error| Error::Usage(format!("feed.{error}")))?,
        ),
        None => Box::new(udp),
    };
    Ok((source, recovery, listening))
}

/// An acceptor of FIX.
fn subscribed(options: FixFeedOptions) -> Result<Feed, Error> {
    let (server, sender) = (options.server, options.sender_comp_id.clone());
    let source = FixSource::new(options).map_err(Error::Usage)?;
    let listening = format!("FIX feed: {server}, SenderCompID {sender}\n");
    Ok((Box::new(source), None, listening))
}

fn configure(args: &Args) -> Result<Config, Error> {
    let mut config = args
        .config
        .as_deref()
        .map(Config::read)
        .transpose()?
        .unwrap_or_default();
    if !args.window.is_empty() {
        config.window.windows.clone_from(&args.window);
    }
    config.window.step = args.step.unwrap_or(config.window.step);
    config.window.policy = args.policy.unwrap_or(config.window.policy);
    config.window.every_end |= args.every_end;
    config.window.corrections = args.corrections.unwrap_or(config.window.corrections);
    if let Some(file) = args.out.clone() {
        let format = config
            .output
            .take()
            .map_or_else(Format::default, |output| output.format);
        config.output = Some(OutputConfig { file, format });
    }
    match (args.format, &mut config.output) {
        (Some(format), Some(output)) => output.format = format,
        (Some(_), None) => {
            let reason =
                "--format: rows are written where --out or [output] says; there is neither";
            return Err(Error::Usage(reason.to_owned()));
        }
        (None, _) => {}
    }
    if args.fix.is_some() && config.fix.disabled {
        let reason = "--fix: the configuration has fix.disabled";
        return Err(Error::Usage(reason.to_owned()));
    }
    config.fix.acceptor.listen = args.fix.unwrap_or(config.fix.acceptor.listen);
    configured(&config)?;
    Ok(config)
}

/// All windows that publishers see. A file has been checked; only options can be at fault.
fn configured(config: &Config) -> Result<Spec, Error> {
    let published = config.published();
    published.map_err(|error| Error::Usage(format!("--window: {error}")))
}

/// Who keeps the wide windows.
#[cfg(feature = "gpu")]
fn graphics() -> String {
    let kind = |is_software| if is_software { ", software" } else { "" };
    match crate::adapters().first() {
        Some(adapter) => format!(
            "wide windows: {}, {}{}\n",
            adapter.name,
            adapter.driver,
            kind(adapter.is_software)
        ),
        None => "wide windows: no GPU adapter, the CPU in its place\n".to_owned(),
    }
}

#[cfg(not(feature = "gpu"))]
fn graphics() -> String {
    String::new()
}

/// What is listened to, and what the system withheld.
fn listening(config: &Config, udp: &UdpSource) -> String {
    let sockets = udp.bound_addresses().zip(udp.granted_receive_buffers());
    let line = |(options, (bound, granted)): (&UdpOptions, (SocketAddrV4, usize))| {
        let name = char::from(b'A' + options.line.min(25));
        let (interface, wanted) = (options.interface, options.receive_buffer);
        let remedy = match granted < wanted {
            true => format!(
                "\nline {name}: {wanted} bytes were asked for: sysctl -w net.core.rmem_max={wanted}"
            ),
            false => String::new(),
        };
        format!("line {name}: {bound} on {interface}, receive buffer {granted} bytes{remedy}\n")
    };
    config.feed.lines.iter().zip(sockets).map(line).collect()
}

type Publishers = Vec<Box<dyn Publisher + Send>>;

/// Who gets the rows, what becomes of those that are written, and what is served where.
fn publishers(config: &Config, spec: &Spec) -> Result<(Publishers, Outcome, String), Error> {
    let mut publishers: Publishers = Vec::new();
    let mut serving = "no FIX".to_owned();
    let failed = |error: &dyn std::fmt::Display| Error::Failed(error.to_string());
    if !config.fix.disabled {
        let labels = spec
            .windows
            .iter()
            .map(|window| window.label.clone())
            .collect();
        let options = &config.fix.acceptor;
        let acceptor = Acceptor::bind(options.clone(), labels)?;
        let address = acceptor.local_address().map_err(|error| failed(&error))?;
        serving = format!("FIX: {address}, SenderCompID {}", options.sender_comp_id);
        publishers.push(Box::new(acceptor));
    }
    let (sink, waiting) = match &config.output {
        Some(output) => (open(&output.file)?, WAITING),
        None => (open(Path::new("-"))?, 0),
    };
    let (outflow, written) = Outflow::new(sink, waiting).map_err(|error| failed(&error))?;
    publishers.push(match &config.output {
        Some(output) => output.format.writer(spec, Box::new(outflow), true),
        None => {
            let terminal = io::stdout().is_terminal();
            Box::new(LiveTable::new(spec, outflow, terminal).with_columns(live::columns()))
        }
    });
    Ok((publishers, written, serving))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn an_output_under_another_name_keeps_its_format() {
        let name = format!("widetape-output-{}.toml", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, "[output]\nfile = \"a\"\nformat = \"csv\"\n").unwrap();
        let output = |typed: &[&str]| {
            let typed = Typed::parse_from([&["run", "--out", "b"], typed].concat());
            let output = configure(&typed.args).unwrap().output.unwrap();
            (output.file, output.format)
        };
        let configured = ["--config", file.to_str().unwrap()];
        let named = PathBuf::from("b");
        assert_eq!(output(&configured), (named.clone(), Format::Csv));
        let asked = [&configured[..], &["--format", "jsonl"]].concat();
        assert_eq!(output(&asked), (named.clone(), Format::Jsonl));
        assert_eq!(output(&[]), (named, Format::default()));
        std::fs::remove_file(file).unwrap();
    }
}
