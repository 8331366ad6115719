//! Lost packets are asked for again: the socket behind `session`'s re-request schedule.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

use super::Error;
use crate::feed::UdpSource;
use crate::session::{RETRANSMISSION, RerequestCounts, RerequestOptions, Rerequester, Sequencer};
use crate::wire::moldudp64::Request;

/// Who is asked for lost packets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecoveryOptions {
    /// Nobody is asked.
    pub disabled: bool,
    /// Address of the re-request server. Default 127.0.0.1:5001, where `widetape send` answers.
    pub server: SocketAddrV4,
    /// Local address of the socket that asks. Default: a port of the system's choice, on loopback if
    /// the server is there, else on any interface.
    pub local: Option<SocketAddrV4>,
    /// When and how often.
    pub schedule: RerequestOptions,
}

impl Default for RecoveryOptions {
    fn default() -> Self {
        Self {
            disabled: false,
            server: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5001),
            local: None,
            schedule: RerequestOptions::default(),
        }
    }
}

impl RecoveryOptions {
    fn local(&self) -> SocketAddrV4 {
        let interface = match self.server.ip().is_loopback() {
            true => Ipv4Addr::LOCALHOST,
            false => Ipv4Addr::UNSPECIFIED,
        };
        self.local.unwrap_or(SocketAddrV4::new(interface, 0))
    }
}

/// The schedule and the socket.
#[derive(Debug)]
pub struct Recovery {
    schedule: Rerequester,
    delay_ns: u64,
    socket: UdpSocket,
    server: SocketAddrV4,
    requests: Vec<Request>,
    failures: u64,
}

impl Recovery {
    /// Opens the socket, unless recovery is disabled. Answers come in through `source`, as packets of
    /// the retransmission line.
    ///
    /// # Errors
    /// When the socket cannot be opened.
    pub fn open(options: &RecoveryOptions, source: &mut UdpSource) -> Result<Option<Self>, Error> {
        if options.disabled {
            return Ok(None);
        }
        let socket = UdpSocket::bind(options.local()).map_err(Error::Recovery)?;
        let answers = socket.try_clone().map_err(Error::Recovery)?;
        source.adopt(answers, RETRANSMISSION)?;
        Ok(Some(Self {
            schedule: Rerequester::new(options.schedule.clone()),
            delay_ns: options.schedule.first_delay_ns,
            socket,
            server: options.server,
            requests: Vec::new(),
            failures: 0,
        }))
    }

    /// Sends the requests that are due. A request that the system does not take is counted, and
    /// repeated as any other that brings nothing.
    pub(super) fn request(&mut self, sequencer: &Sequencer, now_ns: u64) {
        let Some(session) = sequencer.session() else {
            return;
        };
        self.requests.clear();
        self.schedule
            .poll(session, sequencer.holes(), now_ns, &mut self.requests);
        for request in &self.requests {
            let sent = self.socket.send_to(&request.to_bytes(), self.server);
            self.failures += u64::from(sent.is_err());
        }
    }

    /// Age in nanoseconds at which a hole is asked for.
    pub(super) fn delay_ns(&self) -> u64 {
        self.delay_ns
    }

    /// Requests that the system did not take.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    /// What has been asked for.
    #[must_use]
    pub(super) fn counts(&self) -> RerequestCounts {
        self.schedule.counts()
    }
}
