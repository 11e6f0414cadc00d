//! One kind of document, with any bytes.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use quaywatch_documents::{DOCUMENTS, Document, DocumentReader};
use quaywatch_fuzz::{Strict, choice};
use quaywatch_model::SourceId;

fn under_test() -> &'static dyn DocumentReader {
    static CHOSEN: OnceLock<&'static dyn DocumentReader> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = choice();
        *DOCUMENTS.iter().find(|kind| kind.meta().kind == name).expect("a kind that docs/reference/documents.md lists")
    })
}

fuzz_target!(|data: &[u8]| {
    let reader = under_test();
    std::hint::black_box(reader.sniff(data, "document"));
    let document = Document { name: "document", source: SourceId(0), bytes: data };
    let _ = std::hint::black_box(reader.read(&document, &mut Strict));
});
