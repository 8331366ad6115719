//! The kernel's own count of datagrams that it dropped, from `/proc/net/udp`.

use std::net::{Ipv4Addr, SocketAddrV4};

/// The table of UDP sockets, one line each.
pub(super) fn table() -> Option<String> {
    std::fs::read_to_string("/proc/net/udp").ok()
}

/// Datagrams dropped by the socket bound to `address` with number `inode`.
pub(super) fn drops(table: &str, address: SocketAddrV4, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1)?;
        let found_inode: u64 = fields.nth(7)?.parse().ok()?;
        let dropped = fields.last()?.parse().ok()?;
        (found_inode == inode && parse_address(local)? == address).then_some(dropped)
    })
}

/// `0100007F:1389` is 127.0.0.1:5001 where the machine is little-endian.
fn parse_address(text: &str) -> Option<SocketAddrV4> {
    let (ip, port) = text.split_once(':')?;
    let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(ip), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn the_line_of_the_socket_is_found_by_address_and_number() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n\
                      6319: 0107C0EF:676D 00000000:0000 07 00000000:00001E00 00:00000000 00000000     0        0 16210 2 000000007bbda4d3 94        \n\
                      6319: 0107C0EF:676D 00000000:0000 07 00000000:00001E00 00:00000000 00000000     0        0 16211 2 000000007bbda4d3 5        \n\
                     short line\n\
                     12339: 0100007F:BEF1 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 16212 2 000000002695ee61 0         \n";
        let group = "239.192.7.1:26477".parse().unwrap();
        assert_eq!(drops(table, group, 16210), Some(94));
        assert_eq!(drops(table, group, 16211), Some(5));
        assert_eq!(
            drops(table, "127.0.0.1:48881".parse().unwrap(), 16212),
            Some(0)
        );
        assert_eq!(drops(table, group, 16212), None, "another socket's number");
        assert_eq!(drops("", group, 16210), None);
    }
}
