//! A word of EXPOSE, taken apart as BuildKit does (`dockerfile2llb/convert_expose.go`).

use std::net::IpAddr;
use std::ops::Range;

use dockerfile_model::Word;
use dockerfile_source::{TextRange, TextSize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

/// The ports that a word exposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PortSpec {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) protocol: Protocol,
}

/// Why the builder refuses a word, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PortFault {
    pub(super) kind: FaultKind,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Nothing where a port should be.
    Empty,
    NotANumber,
    TooLarge,
    Reversed,
    Protocol,
    Address,
    /// The host range and the container range differ in length.
    Lengths,
}

impl Protocol {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        }
    }

    /// Returns the protocol of a name in any case.
    pub(super) fn from_name(name: &str) -> Option<Protocol> {
        [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
            .into_iter()
            .find(|protocol| protocol.as_str().eq_ignore_ascii_case(name))
    }
}

impl PortSpec {
    /// Returns whether all ports of `other` are among these.
    pub(super) fn covers(self, other: PortSpec) -> bool {
        self.protocol == other.protocol && self.first <= other.first && other.last <= self.last
    }

    pub(super) fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    pub(super) fn describe(self) -> String {
        let protocol = self.protocol.as_str();
        if self.first == self.last {
            format!("{}/{protocol}", self.first)
        } else {
            format!("{}-{}/{protocol}", self.first, self.last)
        }
    }
}

/// Reads a word as it is after expansion.
pub(super) fn parse_port(value: &str) -> Result<PortSpec, PortFault> {
    let container_at = value.rfind(':').map_or(0, |colon| colon + 1);
    let container = value.get(container_at..).unwrap_or("");
    let (port, protocol) = match container.split_once('/') {
        Some((port, protocol)) => (port, Some(protocol)),
        None => (container, None),
    };
    let port_range = container_at..container_at + port.len();
    if port.is_empty() {
        return Err(fault(FaultKind::Empty, 0..value.len()));
    }
    let protocol = match protocol {
        // `80/` is taken for `80/tcp`.
        None | Some("") => Protocol::Tcp,
        Some(name) => Protocol::from_name(name)
            .ok_or_else(|| fault(FaultKind::Protocol, port_range.end + 1..value.len()))?,
    };
    let host = value.get(..container_at).unwrap_or("");
    let host = host.strip_suffix(':').unwrap_or(host);
    let (address, host_port) = match host.rsplit_once(':') {
        Some((address, host_port)) => (address, host_port),
        None => ("", host),
    };
    check_address(address)?;
    let (first, last) = parse_range(port, port_range.start)?;
    if !host_port.is_empty() {
        let host_port_at = host.len() - host_port.len();
        let (host_first, host_last) = parse_range(host_port, host_port_at)?;
        if last != first && last - first != host_last - host_first {
            return Err(fault(FaultKind::Lengths, 0..value.len()));
        }
    }
    Ok(PortSpec {
        first,
        last,
        protocol,
    })
}

fn check_address(address: &str) -> Result<(), PortFault> {
    let bare = address
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(address);
    if bare.is_empty() || bare.parse::<IpAddr>().is_ok() {
        Ok(())
    } else {
        Err(fault(FaultKind::Address, 0..address.len()))
    }
}

/// Reads `80` or `80-90`, which stands at `at` in the word.
fn parse_range(text: &str, at: usize) -> Result<(u16, u16), PortFault> {
    let Some((first, last)) = text.split_once('-') else {
        let port = parse_number(text, at)?;
        return Ok((port, port));
    };
    if last.contains('-') {
        return Err(fault(FaultKind::NotANumber, at..at + text.len()));
    }
    let first_port = parse_number(first, at)?;
    let last_port = parse_number(last, at + first.len() + 1)?;
    if last_port < first_port {
        return Err(fault(FaultKind::Reversed, at..at + text.len()));
    }
    Ok((first_port, last_port))
}

fn parse_number(text: &str, at: usize) -> Result<u16, PortFault> {
    let range = at..at + text.len();
    if text.is_empty() {
        return Err(fault(FaultKind::Empty, range));
    }
    // Go's `ParseUint` takes no sign; Rust's `parse` does.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(fault(FaultKind::NotANumber, range));
    }
    text.parse().map_err(|_| fault(FaultKind::TooLarge, range))
}

fn fault(kind: FaultKind, range: Range<usize>) -> PortFault {
    PortFault { kind, range }
}

/// Returns whether offsets in the value of a word are offsets in the file.
pub(super) fn is_plain(word: &Word) -> bool {
    word.value.as_deref() == Some(word.text.as_str())
        && usize::from(word.range.len()) == word.text.len()
}

/// Returns where a part of the value of a word stands in the file: the whole word where quotes, variables or
/// continuations stand between the two.
pub(super) fn range_in_word(word: &Word, part: Range<usize>) -> TextRange {
    if !is_plain(word) || part.end > word.text.len() || part.is_empty() {
        return word.range;
    }
    TextRange::at(
        word.range.start() + TextSize::new(part.start as u32),
        TextSize::new((part.end - part.start) as u32),
    )
}

/// Returns the ports of a word that depends on no variable, where the builder takes it.
pub(super) fn literal_port(word: &Word) -> Option<PortSpec> {
    if word.has_variables() {
        return None;
    }
    parse_port(word.value.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(value: &str) -> Option<FaultKind> {
        parse_port(value).err().map(|fault| fault.kind)
    }

    #[test]
    fn reads_what_the_builder_reads() {
        let spec = |first, last, protocol| PortSpec {
            first,
            last,
            protocol,
        };
        assert_eq!(parse_port("80"), Ok(spec(80, 80, Protocol::Tcp)));
        assert_eq!(parse_port("080/"), Ok(spec(80, 80, Protocol::Tcp)));
        assert_eq!(parse_port("53/UDP"), Ok(spec(53, 53, Protocol::Udp)));
        assert_eq!(parse_port("1-9/sctp"), Ok(spec(1, 9, Protocol::Sctp)));
        for mapped in [
            ":80",
            "8080:80",
            "127.0.0.1:8080:80",
            "127.0.0.1::80",
            "[::1]:8080:80",
            "::1:8080:80",
            "8080-8090:80",
        ] {
            assert_eq!(
                parse_port(mapped),
                Ok(spec(80, 80, Protocol::Tcp)),
                "{mapped}"
            );
        }
    }

    #[test]
    fn refuses_what_the_builder_refuses() {
        assert_eq!(kind("http"), Some(FaultKind::NotANumber));
        assert_eq!(kind("+80"), Some(FaultKind::NotANumber));
        assert_eq!(kind("1-2-3"), Some(FaultKind::NotANumber));
        assert_eq!(kind("80000"), Some(FaultKind::TooLarge));
        assert_eq!(kind("90-80"), Some(FaultKind::Reversed));
        assert_eq!(kind("80-"), Some(FaultKind::Empty));
        assert_eq!(kind("/tcp"), Some(FaultKind::Empty));
        assert_eq!(kind("80:"), Some(FaultKind::Empty));
        assert_eq!(kind("80/http"), Some(FaultKind::Protocol));
        assert_eq!(kind("localhost:80:80"), Some(FaultKind::Address));
        assert_eq!(kind("x:80"), Some(FaultKind::NotANumber));
        assert_eq!(kind("80:1-9"), Some(FaultKind::Lengths));
    }

    #[test]
    fn says_where_the_fault_is() {
        let part = |value: &str| parse_port(value).err().map(|fault| fault.range);
        assert_eq!(part("1-80000/tcp"), Some(2..7));
        assert_eq!(part("x:80"), Some(0..1));
        assert_eq!(part("127.0.0.1:x:80/tcp"), Some(10..11));
        assert_eq!(part("80/http"), Some(3..7));
    }
}
