//! `quaywatch protocols`: what is decoded, and how far.

use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::analyzer::Depth;
use quaywatch_query::{Rows, Value};

use super::controls::format;
use crate::cli::ListArguments;
use crate::exit::{Exit, Failure, print};

pub(crate) fn run(arguments: &ListArguments) -> Result<Exit, Failure> {
    let columns =
        ["protocol", "title", "depth", "usual", "control", "scope", "specification"].map(str::to_owned).to_vec();
    let rows = PROTOCOLS
        .iter()
        .map(|protocol| {
            let meta = protocol.meta();
            let ports =
                |name: &str, ports: &[u16]| ports.iter().map(|port| format!("{name}/{port}")).collect::<Vec<_>>();
            let ethertypes = meta.ethertypes.iter().map(|code| format!("0x{code:04x}")).collect();
            let usual = [ports("tcp", meta.tcp), ports("udp", meta.udp), ethertypes].concat().join(" ");
            let depth = match meta.depth {
                Depth::Full => "full",
                Depth::Partial => "partial",
                Depth::Named => "named",
            };
            let mut row: Vec<Value> =
                [meta.name, meta.title, depth, &usual].map(|text| Value::Text(text.to_owned())).to_vec();
            row.push(Value::Bool(meta.control));
            row.extend([meta.scope, meta.spec].map(|text| Value::Text(text.to_owned())));
            row
        })
        .collect();
    let rows = Rows::from_parts(columns, rows);
    print(|out| rows.write(format(arguments.format), out))?;
    Ok(Exit::Done)
}
