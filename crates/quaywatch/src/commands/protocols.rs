//! `quaywatch protocols`: what is decoded, and how far.

use quaywatch_protocols::PROTOCOLS;
use quaywatch_query::{Rows, Value};

use super::controls::format;
use crate::cli::ListArguments;
use crate::exit::{Exit, Failure, print};

pub(crate) fn run(arguments: &ListArguments) -> Result<Exit, Failure> {
    let columns =
        ["protocol", "title", "depth", "purpose", "usual", "scope", "specification"].map(str::to_owned).to_vec();
    let rows = PROTOCOLS
        .iter()
        .map(|protocol| {
            let meta = protocol.meta();
            let ports =
                |name: &str, ports: &[u16]| ports.iter().map(|port| format!("{name}/{port}")).collect::<Vec<_>>();
            let ethertypes = meta.ethertypes.iter().map(|code| format!("0x{code:04x}")).collect();
            let usual = [ports("tcp", meta.tcp), ports("udp", meta.udp), ethertypes].concat().join(" ");
            let row = [meta.name, meta.title, meta.depth.name(), meta.purpose.name(), &usual, meta.scope, meta.spec];
            row.map(|text| Value::Text(text.to_owned())).to_vec()
        })
        .collect();
    let rows = Rows::from_parts(columns, rows);
    print(|out| rows.write(format(arguments.format), out))?;
    Ok(Exit::Done)
}
