//! Writes the first inputs of each fuzz target below a folder: conversations out of captures, small captures, documents.
//!
//! `seeds OUT CAPTURES... [--documents FOLDER]...` prints the targets as `binary name`, one a line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use quaywatch_documents::{DOCUMENTS, recognise};
use quaywatch_fuzz::pack;
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::recording::conversations;

/// Seeds kept of a protocol, and the largest: many small ones find more than few large ones.
const SEEDS: usize = 200;
const LARGEST: usize = 4096;

fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let out = PathBuf::from(words.next().expect("the folder to write to"));
    let (mut captures, mut documents) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        if word == "--documents" {
            documents.extend(words.next().map(PathBuf::from));
        } else {
            captures.push(PathBuf::from(word));
        }
    }
    protocols(&out, &captures)?;
    whole_captures(&out, &captures)?;
    kinds(&out, &documents)
}

fn write(folder: &Path, number: usize, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("seed-{number:03}")), bytes)
}

fn protocols(out: &Path, captures: &[PathBuf]) -> std::io::Result<()> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for heard in conversations(captures) {
        let count = counts.entry(heard.protocol).or_default();
        let mut packed = pack(heard.pieces.iter().map(|(_, direction, data)| (*direction, data.as_slice())));
        packed.truncate(LARGEST);
        if *count < SEEDS {
            write(&out.join(PROTOCOLS[heard.protocol].meta().name), *count, &packed)?;
            *count += 1;
        }
    }
    for protocol in PROTOCOLS {
        let name = protocol.meta().name;
        fs::create_dir_all(out.join(name))?;
        println!("protocol {name}");
    }
    Ok(())
}

fn whole_captures(out: &Path, captures: &[PathBuf]) -> std::io::Result<()> {
    let inputs = quaywatch_wire::capture::expand(captures);
    let small = inputs.captures().filter(|input| input.bytes < 16 * LARGEST as u64);
    for (number, input) in small.enumerate().take(SEEDS) {
        write(&out.join("capture"), number, &fs::read(&input.path)?)?;
    }
    println!("capture capture");
    Ok(())
}

fn kinds(out: &Path, folders: &[PathBuf]) -> std::io::Result<()> {
    for folder in folders {
        for (number, entry) in fs::read_dir(folder)?.enumerate() {
            let path = entry?.path();
            let bytes = if path.is_file() { fs::read(&path)? } else { continue };
            if let Some(reader) = recognise(&bytes, &path.to_string_lossy()) {
                write(&out.join(reader.meta().kind), number, &bytes)?;
            }
        }
    }
    for kind in DOCUMENTS {
        let name = kind.meta().kind;
        fs::create_dir_all(out.join(name))?;
        println!("document {name}");
    }
    Ok(())
}
