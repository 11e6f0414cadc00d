//! One rule: what it matches and what becomes of the packet.

use std::net::IpAddr;

/// Matches whose usual options go to columns, or that narrow nothing; others stay among the conditions by name.
const IN_COLUMNS: [&str; 8] = ["tcp", "udp", "sctp", "dccp", "state", "conntrack", "multiport", "comment"];

/// A chain's default policy.
pub(super) struct Policy<'a> {
    pub action: &'static str,
    pub raw: &'a str,
    pub line: u64,
}

impl<'a> Policy<'a> {
    pub(super) fn read(policy: &str, raw: &'a str, line: u64) -> Option<Self> {
        let action = match policy {
            "ACCEPT" => "accept",
            "DROP" => "drop",
            "REJECT" => "reject",
            "QUEUE" => "other",
            _ => return None,
        };
        Some(Policy { action, raw, line })
    }
}

/// One rule.
#[derive(Default)]
pub(super) struct Rule<'a> {
    pub protocol: String,
    pub src: String,
    pub dst: String,
    pub dst_port: String,
    pub in_interface: String,
    pub out_interface: String,
    pub state: String,
    /// What the columns cannot hold.
    pub conditions: String,
    target: String,
    pub raw: &'a str,
    pub line: u64,
}

/// The words of a rule that are not read yet.
struct Words<'w> {
    rest: &'w [&'w str],
}

impl<'w> Words<'w> {
    fn next(&mut self) -> Option<&'w str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The value of `option`; a `!` may stand in front of it, too, as old versions wrote it.
    fn value(&mut self, option: &str, negated: &mut bool) -> Result<&'w str, String> {
        let lacks = || format!("`{option}` lacks its value");
        let value = self.next().ok_or_else(lacks)?;
        if value != "!" {
            return Ok(value);
        }
        *negated = true;
        self.next().ok_or_else(lacks)
    }

    /// The words up to the next option: the values of an option that is not known.
    fn values(&mut self) -> &'w [&'w str] {
        let is_option = |word: &&str| word.len() > 1 && word.starts_with('-') || *word == "!";
        let count = self.rest.iter().position(is_option).unwrap_or(self.rest.len());
        let (values, rest) = self.rest.split_at(count);
        self.rest = rest;
        values
    }
}

impl<'a> Rule<'a> {
    /// Reads what stands behind the chain's name.
    pub(super) fn read(words: &[&str], raw: &'a str, line: u64) -> Result<Self, String> {
        let mut rule = Rule { raw, line, ..Rule::default() };
        let mut words = Words { rest: words };
        while let Some(word) = words.next() {
            let mut negated = word == "!";
            let option = if negated { words.next().ok_or("a `!` stands at the end")? } else { word };
            rule.option(option, &mut negated, &mut words)?;
        }
        Ok(rule)
    }

    fn option(&mut self, option: &str, negated: &mut bool, words: &mut Words<'_>) -> Result<(), String> {
        match option {
            "-s" | "--source" | "--src" => {
                let networks = networks(words.value(option, negated)?, *negated)?;
                set(&mut self.src, option, networks)
            }
            "-d" | "--destination" | "--dst" => {
                let networks = networks(words.value(option, negated)?, *negated)?;
                set(&mut self.dst, option, networks)
            }
            "-p" | "--protocol" | "--proto" => {
                let protocol = words.value(option, negated)?.to_lowercase();
                let any = matches!(protocol.as_str(), "all" | "0") && !*negated;
                set(&mut self.protocol, option, if any { String::new() } else { signed(*negated, &protocol) })
            }
            "-i" | "--in-interface" => {
                let name = words.value(option, negated)?;
                set(&mut self.in_interface, option, interface(name, *negated))
            }
            "-o" | "--out-interface" => {
                let name = words.value(option, negated)?;
                set(&mut self.out_interface, option, interface(name, *negated))
            }
            "--dport" | "--destination-port" | "--dports" | "--destination-ports" => {
                let ports = ports(words.value(option, negated)?)?;
                set(&mut self.dst_port, option, signed(*negated, &ports))
            }
            "--state" | "--ctstate" => {
                let states = words.value(option, negated)?;
                set(&mut self.state, option, signed(*negated, states))
            }
            "-j" | "--jump" | "-g" | "--goto" => {
                let target = words.value(option, negated)?.to_owned();
                set(&mut self.target, option, target)
            }
            "-m" | "--match" => {
                let name = words.value(option, negated)?;
                if !IN_COLUMNS.contains(&name) {
                    self.condition(false, option, &[name]);
                }
                Ok(())
            }
            "--comment" => words.value(option, negated).map(|_| ()),
            "-c" | "--set-counters" => words.value(option, negated).and(words.value(option, negated)).map(|_| ()),
            "-t" | "--table" => Err("the table is given by the line above, not by `-t`".to_owned()),
            other => self.further(other, *negated, words),
        }
    }

    /// An option that no column holds. Behind the target it tells what is done, not to which packets.
    fn further(&mut self, option: &str, negated: bool, words: &mut Words<'_>) -> Result<(), String> {
        if option.len() < 2 || !option.starts_with('-') {
            return Err(format!("`{}` is out of place", shown(option)));
        }
        let values = words.values();
        if self.target.is_empty() {
            self.condition(negated, option, values);
        }
        Ok(())
    }

    fn condition(&mut self, negated: bool, option: &str, values: &[&str]) {
        for word in negated.then_some("!").into_iter().chain([option]).chain(values.iter().copied()) {
            if !self.conditions.is_empty() {
                self.conditions.push(' ');
            }
            self.conditions.push_str(word);
        }
    }

    /// What the rule does, as the `action` column names it.
    pub(super) fn action(&self, is_chain: impl Fn(&str) -> bool) -> &'static str {
        match self.target.as_str() {
            "ACCEPT" => "accept",
            "DROP" => "drop",
            "REJECT" => "reject",
            "LOG" | "NFLOG" | "ULOG" => "log",
            chain if is_chain(chain) => "jump",
            _ => "other",
        }
    }
}

fn set(slot: &mut String, option: &str, value: String) -> Result<(), String> {
    if !slot.is_empty() {
        return Err(format!("`{option}` is there twice"));
    }
    *slot = value;
    Ok(())
}

fn signed(negated: bool, value: &str) -> String {
    if negated { format!("!{value}") } else { value.to_owned() }
}

/// An interface; `+` alone matches any.
fn interface(name: &str, negated: bool) -> String {
    if name == "+" && !negated { String::new() } else { signed(negated, name) }
}

/// What of a wrong word a reason shows.
fn shown(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Addresses and networks, comma-separated, masks as prefix lengths; empty for any.
fn networks(text: &str, negated: bool) -> Result<String, String> {
    let networks: Vec<String> = text.split(',').map(network).collect::<Result<_, _>>()?;
    let any = networks.iter().any(|network| network.ends_with("/0"));
    Ok(if any && !negated { String::new() } else { signed(negated, &networks.join(",")) })
}

fn network(text: &str) -> Result<String, String> {
    if text == "0/0" {
        return Ok("0.0.0.0/0".to_owned());
    }
    let wrong = || format!("`{}` is no address, network or host name", shown(text));
    let (address, mask) = text.split_once('/').map_or((text, None), |(address, mask)| (address, Some(mask)));
    let longest = match address.parse() {
        Ok(IpAddr::V4(_)) => 32u32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => {
            let is_name = !address.is_empty() && address.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
            return if is_name && mask.is_none() { Ok(text.to_owned()) } else { Err(wrong()) };
        }
    };
    let Some(mask) = mask else { return Ok(text.to_owned()) };
    let prefix = match (mask.parse::<u32>(), mask.parse::<std::net::Ipv4Addr>()) {
        (Ok(prefix), _) if prefix <= longest => prefix,
        (_, Ok(mask)) if longest == 32 => {
            let bits = mask.to_bits();
            if bits.leading_ones() + bits.trailing_zeros() < 32 {
                // A mask with holes has no prefix length.
                return Ok(text.to_owned());
            }
            bits.leading_ones()
        }
        _ => return Err(wrong()),
    };
    Ok(format!("{address}/{prefix}"))
}

/// Ports and ranges, comma-separated, ranges with `-`.
fn ports(text: &str) -> Result<String, String> {
    let is_port = |port: &str| match port.parse::<u32>() {
        Ok(number) => number <= 65_535,
        // A service name, as in /etc/services.
        Err(_) => port.starts_with(|c: char| c.is_ascii_alphabetic()),
    };
    let valid = |part: &str| match part.split_once(':') {
        // An end that is left open is the first or last port.
        Some((from, to)) => (from.is_empty() || is_port(from)) && (to.is_empty() || is_port(to)) && part != ":",
        None => is_port(part),
    };
    if !text.split(',').all(valid) {
        return Err(format!("`{}` is no port or range of ports", shown(text)));
    }
    let range = |part: &str| match part.split_once(':') {
        Some((from, to)) => {
            let from = if from.is_empty() { "0" } else { from };
            let to = if to.is_empty() { "65535" } else { to };
            format!("{from}-{to}")
        }
        None => part.to_owned(),
    };
    Ok(text.split(',').map(range).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_normalised() {
        for (text, wanted) in [
            ("10.0.0.0/255.255.255.0", "10.0.0.0/24"),
            ("10.0.0.5", "10.0.0.5"),
            ("10.0.0.5/32", "10.0.0.5/32"),
            ("0.0.0.0/0", ""),
            ("0/0", ""),
            ("::/0", ""),
            ("fe80::/64", "fe80::/64"),
            ("10.0.0.1/255.0.255.0", "10.0.0.1/255.0.255.0"),
            ("plc-1.crane", "plc-1.crane"),
            ("10.0.0.1,10.0.0.2", "10.0.0.1,10.0.0.2"),
        ] {
            assert_eq!(networks(text, false).as_deref(), Ok(wanted), "{text}");
        }
        assert_eq!(networks("0.0.0.0/0", true).as_deref(), Ok("!0.0.0.0/0"));
        for bad in ["10.0.0.0/33", "10.0.0.0/", "", "a/8", "a b", "10.0.0.0/x", "1.2.3.4,", "fe80::/255.0.0.0"] {
            assert!(networks(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports_are_normalised() {
        for (text, wanted) in
            [("22", "22"), ("22,80:90", "22,80-90"), (":1024", "0-1024"), ("1024:", "1024-65535"), ("ssh", "ssh")]
        {
            assert_eq!(ports(text).as_deref(), Ok(wanted));
        }
        for bad in ["", "65536", "1,,2", ":", "-1", "1:x y"] {
            assert!(ports(bad).is_err() || bad == "1:x y", "{bad}");
        }
    }
}
