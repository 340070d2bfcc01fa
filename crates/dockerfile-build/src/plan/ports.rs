//! EXPOSE: `[[IP:]HOST:]PORT[-PORT][/PROTOCOL]` to `PORT/PROTOCOL`, as BuildKit reads it (`convert_expose.go`).

use std::net::IpAddr;

/// The ports that one word names, or why it names none.
pub(super) fn exposed_ports(word: &str) -> Result<Vec<String>, String> {
    let (address, host, container) = split(word);
    let (port, protocol) = container.split_once('/').unwrap_or((container, ""));
    if port.is_empty() {
        return Err(format!("`{word}` names no port"));
    }
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "" => "tcp".to_owned(),
        known @ ("tcp" | "udp" | "sctp") => known.to_owned(),
        other => {
            return Err(format!(
                "`{other}` is no protocol; there are tcp, udp and sctp"
            ));
        }
    };
    let address = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    if !address.is_empty() && address.parse::<IpAddr>().is_err() {
        return Err(format!("`{address}` is no IP address"));
    }
    let (start, end) = range(port)?;
    if !host.is_empty() {
        let (host_start, host_end) = range(host)?;
        if end - start != host_end - host_start && end != start {
            return Err(format!(
                "the ranges `{port}` and `{host}` are not equally long"
            ));
        }
    }
    Ok((start..=end)
        .map(|port| format!("{port}/{protocol}"))
        .collect())
}

fn split(word: &str) -> (&str, &str, &str) {
    let Some((rest, container)) = word.rsplit_once(':') else {
        return ("", "", word);
    };
    match rest.rsplit_once(':') {
        Some((address, host)) => (address, host, container),
        None => ("", rest, container),
    }
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map_err(|_| format!("`{text}` is no port: a port is a number from 0 to 65535"))
    };
    match text.split_once('-') {
        None => number(text).map(|port| (port, port)),
        Some((start, end)) => {
            let (start, end) = (number(start)?, number(end)?);
            if end < start {
                return Err(format!("the range `{text}` ends before it begins"));
            }
            Ok((start, end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        for (word, ports) in [
            ("80", "80/tcp"),
            ("53/UDP", "53/udp"),
            ("7000-7002", "7000/tcp 7001/tcp 7002/tcp"),
            ("8080:80", "80/tcp"),
            ("127.0.0.1:8080:80/sctp", "80/sctp"),
            ("[::1]:1:2", "2/tcp"),
        ] {
            assert_eq!(exposed_ports(word).unwrap().join(" "), ports, "{word}");
        }
        for word in [
            "", "/tcp", "80/icmp", "x", "9-8", "70000", "1.2:1:2", "1-2:3-5",
        ] {
            assert!(exposed_ports(word).is_err(), "{word}");
        }
    }
}
