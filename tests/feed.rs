//! Sources of packets against files, captures and sockets as they are found.

mod capture;
mod capture_ng;
mod files;
mod impair;
mod itch_file;
mod itch_file_cut;
mod recognise;
mod udp;
mod udp_batch;
