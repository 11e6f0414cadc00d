//! SQL functions of our own. Garbage in a text gives NULL or false, never an error: evidence is what an attacker wrote.

use std::net::IpAddr;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringViewArray, StringViewBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// What a function is for.
#[derive(Clone, Copy, Debug)]
pub struct FunctionDoc {
    /// How it is called.
    pub call: &'static str,
    /// What it gives.
    pub doc: &'static str,
}

/// The functions beyond standard SQL.
pub const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc {
        call: "cidr_contains(network, address)",
        doc: "whether an address lies in a network such as 10.0.0.0/8; a bare address is a network of one",
    },
    FunctionDoc {
        call: "is_private(address)",
        doc: "whether an address is not routed on the public internet (RFC 1918, ULA, link-local, loopback, shared)",
    },
    FunctionDoc {
        call: "is_public(address)",
        doc: "whether an address is unicast and not private; documentation ranges count as public",
    },
    FunctionDoc { call: "version_lt(a, b)", doc: "whether version a is below version b, number by number" },
    FunctionDoc { call: "cite(table, source, frame)", doc: "the citation of a row of evidence, as controls return it" },
    FunctionDoc {
        call: "cite_asset(asset, attribute)",
        doc: "the citation of an asset of the inventory by what showed this attribute of it (`mac`, `ip`, `firmware`, ...); \
              failing that, by another attribute, a connection, or its own row",
    },
    FunctionDoc { call: "distance_m(lat1, lon1, lat2, lon2)", doc: "great-circle distance in metres" },
    FunctionDoc { call: "days_between(earlier, later)", doc: "whole days from one instant to another" },
];

type Body = fn(&[ArrayRef], usize) -> Result<ArrayRef, DataFusionError>;

/// A function with arguments of fixed types.
#[derive(Debug)]
struct Function {
    name: &'static str,
    arguments: Vec<DataType>,
    returns: DataType,
    signature: Signature,
    body: Body,
}

// The engine compares functions to share work; the name is enough to tell ours apart.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl std::hash::Hash for Function {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Function {
    fn make(name: &'static str, arguments: Vec<DataType>, returns: DataType, body: Body) -> ScalarUDF {
        let signature = Signature::new(TypeSignature::Any(arguments.len()), Volatility::Immutable);
        ScalarUDF::from(Function { name, arguments, returns, signature, body })
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue, DataFusionError> {
        let rows = args.number_rows;
        let arrays =
            args.args.iter().zip(&self.arguments).map(|(value, wanted)| Ok(cast(&value.to_array(rows)?, wanted)?));
        let arrays = arrays.collect::<Result<Vec<ArrayRef>, DataFusionError>>()?;
        Ok(ColumnarValue::Array((self.body)(&arrays, rows)?))
    }
}

/// All of [`FUNCTIONS`] for the engine.
pub(crate) fn all() -> Vec<ScalarUDF> {
    let text = || DataType::Utf8View;
    let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    vec![
        Function::make("cidr_contains", vec![text(), text()], DataType::Boolean, |a, n| {
            Ok(predicate2(a, n, cidr_contains))
        }),
        Function::make("version_lt", vec![text(), text()], DataType::Boolean, |a, n| Ok(predicate2(a, n, version_lt))),
        Function::make("is_private", vec![text()], DataType::Boolean, |a, n| Ok(predicate1(a, n, is_private))),
        Function::make("is_public", vec![text()], DataType::Boolean, |a, n| Ok(predicate1(a, n, is_public))),
        Function::make("cite", vec![text(), text(), DataType::Int64], text(), |a, n| Ok(cite(a, n))),
        Function::make("cite_asset", vec![text(), text()], text(), |a, n| Ok(cite_asset(a, n))),
        Function::make("distance_m", vec![DataType::Float64; 4], DataType::Float64, |a, n| Ok(distances(a, n))),
        Function::make("days_between", vec![time.clone(), time], DataType::Int64, days),
    ]
}

fn text_at(array: &StringViewArray, at: usize) -> Option<&str> {
    array.is_valid(at).then(|| array.value(at))
}

fn predicate1(arrays: &[ArrayRef], rows: usize, test: fn(&str) -> Option<bool>) -> ArrayRef {
    let [array] = arrays else { return Arc::new(BooleanArray::new_null(rows)) };
    let array = array.as_string_view();
    Arc::new((0..rows).map(|at| test(text_at(array, at)?)).collect::<BooleanArray>())
}

fn predicate2(arrays: &[ArrayRef], rows: usize, test: fn(&str, &str) -> Option<bool>) -> ArrayRef {
    let [a, b] = arrays else { return Arc::new(BooleanArray::new_null(rows)) };
    let (a, b) = (a.as_string_view(), b.as_string_view());
    Arc::new((0..rows).map(|at| test(text_at(a, at)?, text_at(b, at)?)).collect::<BooleanArray>())
}

fn cite(arrays: &[ArrayRef], rows: usize) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(rows);
    if let [table, source, frame] = arrays {
        let (table, source, frame) =
            (table.as_string_view(), source.as_string_view(), frame.as_primitive::<Int64Type>());
        let mut text = String::new();
        for at in 0..rows {
            text.clear();
            let frame = if frame.is_valid(at) { frame.value(at) } else { 0 };
            let (table, source) = (text_at(table, at).unwrap_or_default(), text_at(source, at).unwrap_or_default());
            let _ = std::fmt::write(&mut text, format_args!("{table}|{source}|{frame}"));
            builder.append_value(&text);
        }
    }
    Arc::new(builder.finish())
}

fn cite_asset(arrays: &[ArrayRef], rows: usize) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(rows);
    if let [asset, attribute] = arrays {
        let (asset, attribute) = (asset.as_string_view(), attribute.as_string_view());
        for at in 0..rows {
            match (text_at(asset, at), text_at(attribute, at)) {
                (Some(asset), Some(attribute)) => builder.append_value(format!("asset|{asset}|{attribute}")),
                _ => builder.append_null(),
            }
        }
    }
    Arc::new(builder.finish())
}

fn distances(arrays: &[ArrayRef], rows: usize) -> ArrayRef {
    let columns: Vec<_> = arrays.iter().map(|array| array.as_primitive::<Float64Type>()).collect();
    let at = |row: usize| -> Option<f64> {
        let mut values = columns.iter().map(|column| column.is_valid(row).then(|| column.value(row)));
        let (lat1, lon1, lat2, lon2) = (values.next()??, values.next()??, values.next()??, values.next()??);
        Some(distance_m(lat1, lon1, lat2, lon2))
    };
    Arc::new((0..rows).map(at).collect::<Float64Array>())
}

fn days(arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef, DataFusionError> {
    const DAY: i64 = 86_400_000_000_000;
    let numbers =
        arrays.iter().map(|array| Ok(cast(array, &DataType::Int64)?)).collect::<Result<Vec<_>, DataFusionError>>()?;
    let [earlier, later] = numbers.as_slice() else { return Ok(Arc::new(Int64Array::new_null(rows))) };
    let (earlier, later) = (earlier.as_primitive::<Int64Type>(), later.as_primitive::<Int64Type>());
    let at = |row| {
        (earlier.is_valid(row) && later.is_valid(row))
            .then(|| later.value(row).saturating_sub(earlier.value(row)) / DAY)
    };
    Ok(Arc::new((0..rows).map(at).collect::<Int64Array>()))
}

fn cidr_contains(network: &str, address: &str) -> Option<bool> {
    let address = ip(address)?;
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, Some(length.trim().parse::<u32>().ok()?)),
        None => (network, None),
    };
    let base: IpAddr = base.trim().parse().ok()?;
    let (base, address, width) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => (u128::from(u32::from(base)), u128::from(u32::from(address)), 32),
        (IpAddr::V6(base), IpAddr::V6(address)) => (u128::from(base), u128::from(address), 128),
        _ => return Some(false),
    };
    let length = length.unwrap_or(width);
    if length > width {
        return None;
    }
    Some(length == 0 || base >> (width - length) == address >> (width - length))
}

/// An address; an IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) is the IPv4 address.
fn ip(text: &str) -> Option<IpAddr> {
    Some(text.trim().parse::<IpAddr>().ok()?.to_canonical())
}

fn is_private(address: &str) -> Option<bool> {
    Some(match ip(address)? {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // 100.64.0.0/10 is shared address space (RFC 6598).
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    })
}

fn is_public(address: &str) -> Option<bool> {
    let unicast = match ip(address)? {
        // 0.0.0.0/8 is this network (RFC 1122), 224.0.0.0/4 multicast, 240.0.0.0/4 reserved with broadcast (RFC 1112).
        IpAddr::V4(ip) => (1..224).contains(&ip.octets()[0]),
        IpAddr::V6(ip) => !ip.is_multicast() && !ip.is_unspecified(),
    };
    Some(unicast && !is_private(address)?)
}

/// Compares versions from their first digit on, piece by piece: numbers as numbers, words as words, and a missing number is zero. A word after the
/// number is above the bare number (`4.0 SP1`, `1.0.2k`), unless it announces it (`2.0-rc1`). A text without a digit is no
/// version.
fn version_lt(a: &str, b: &str) -> Option<bool> {
    let (a, b) = (pieces(a), pieces(b));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let end = std::iter::repeat(&Piece::End);
    let pairs = a.iter().chain(end.clone()).zip(b.iter().chain(end)).take(a.len().max(b.len()));
    Some(pairs.map(|(a, b)| a.cmp(b)).find(|order| order.is_ne()).is_some_and(std::cmp::Ordering::is_lt))
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Piece {
    Announced(String),
    /// Where the version ends, or a zero: 2.8 is 2.8.0.
    End,
    Word(String),
    Number(u128),
}

impl Piece {
    fn word(word: &str) -> Piece {
        let word = word.to_ascii_lowercase();
        let announces = ["alpha", "beta", "rc", "pre", "preview", "dev", "snapshot"].contains(&word.as_str());
        if announces { Piece::Announced(word) } else { Piece::Word(word) }
    }

    fn number(digits: &str) -> Piece {
        match digits.parse().unwrap_or(u128::MAX) {
            0 => Piece::End,
            number => Piece::Number(number),
        }
    }
}

fn pieces(version: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    while let Some(first) = rest.chars().next() {
        let number = first.is_ascii_digit();
        let end = rest
            .find(|c: char| if number { !c.is_ascii_digit() } else { !c.is_ascii_alphabetic() })
            .unwrap_or(rest.len());
        let (piece, later) =
            if end == 0 { (None, rest.get(first.len_utf8()..)) } else { (rest.get(..end), rest.get(end..)) };
        rest = later.unwrap_or_default();
        match piece {
            Some(digits) if number => pieces.push(Piece::number(digits)),
            Some(word) => pieces.push(Piece::word(word)),
            None => {}
        }
    }
    pieces
}

/// Haversine formula on a sphere of mean Earth radius; a half per cent off at worst, enough for a yard.
fn distance_m(lat1: f64, lon1: f64, lat2: f64, lon2: f64) -> f64 {
    const RADIUS: f64 = 6_371_008.8;
    let (lat1, lon1, lat2, lon2) = (lat1.to_radians(), lon1.to_radians(), lat2.to_radians(), lon2.to_radians());
    let half = ((lat2 - lat1) / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2.0).sin().powi(2);
    2.0 * RADIUS * half.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_addresses() {
        assert_eq!(cidr_contains("10.0.0.0/8", "10.1.2.3"), Some(true));
        assert_eq!(cidr_contains("10.0.0.0/8", "11.1.2.3"), Some(false));
        assert_eq!(cidr_contains("0.0.0.0/0", "11.1.2.3"), Some(true));
        assert_eq!(cidr_contains("10.0.0.1", "10.0.0.1"), Some(true));
        assert_eq!(cidr_contains("fe80::/10", "fe80::1"), Some(true));
        assert_eq!(cidr_contains("fe80::/10", "10.0.0.1"), Some(false));
        assert_eq!(cidr_contains("10.0.0.0/8", "::ffff:10.0.0.1"), Some(true));
        assert_eq!(cidr_contains("10.0.0.0/8", "00:1b:1b:00:00:01"), None);
        for bad in ["10.0.0.0/33", "ten", "10.0.0.0/x", ""] {
            assert_eq!(cidr_contains(bad, "10.0.0.1"), None, "{bad}");
        }
    }

    #[test]
    fn public_and_private_are_told_apart() {
        for private in [
            "10.0.0.1",
            "172.31.0.1",
            "192.168.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!((is_private(private), is_public(private)), (Some(true), Some(false)), "{private}");
        }
        for public in ["::ffff:8.8.8.8", "8.8.8.8", "203.0.113.1", "2001:db8::1", "100.128.0.1"] {
            assert_eq!((is_private(public), is_public(public)), (Some(false), Some(true)), "{public}");
        }
        for neither in ["224.0.0.1", "255.255.255.255", "240.0.0.1", "0.0.0.0", "0.1.2.3", "ff02::1", "::"] {
            assert_eq!(is_public(neither), Some(false), "{neither}");
        }
        assert_eq!(is_public("00:1b:1b:00:00:01"), None);
    }

    #[test]
    fn versions_are_compared_as_people_read_them() {
        for (a, b) in [
            ("V2.9.2", "V2.10.0"),
            ("2.8", "2.8.1"),
            ("2.8.0", "2.8.1"),
            ("32.011", "32.12"),
            ("4.0 SP1", "4.0 SP2"),
            ("4.0", "4.0 SP1"),
            ("1.0a", "1.0b"),
            ("1.0.2", "1.0.2k"),
            ("1.0.2k", "1.0.3"),
            ("2.0-rc1", "2.0"),
            ("2.0-rc1", "2.0-rc2"),
            ("1.9", "2.0-beta"),
        ] {
            assert_eq!(version_lt(a, b), Some(true), "{a} < {b}");
            assert_eq!(version_lt(b, a), Some(false), "{b} < {a}");
        }
        assert_eq!(version_lt("V2.9.2", "2.9.2"), Some(false));
        for (a, b) in [("2.8", "2.8.0"), ("V4.5", "v4.5.0.0")] {
            assert_eq!((version_lt(a, b), version_lt(b, a)), (Some(false), Some(false)), "{a} = {b}");
        }
        assert_eq!(version_lt("FW 2.1", "V2.2"), Some(true));
        for none in ["", "unknown", "-"] {
            assert_eq!((version_lt(none, "1"), version_lt("1", none)), (None, None), "{none}");
        }
        assert_eq!(version_lt("0", "0.0.1"), Some(true));
    }

    #[test]
    fn distances_are_metres() {
        let metres = distance_m(53.0, 8.0, 53.0 + 1.0 / 60.0, 8.0);
        assert!((metres - 1852.0).abs() < 5.0, "a minute of latitude is a nautical mile: {metres}");
        assert!(distance_m(1.0, 1.0, 1.0, 1.0).abs() < f64::EPSILON);
    }
}
